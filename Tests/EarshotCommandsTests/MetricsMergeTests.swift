import Testing

@testable import EarshotCommands

@Suite("Merging metrics")
struct MetricsMergeTests {
    @Test("gives each sample the labels of its process and each name one head")
    func labels() {
        var merge = MetricsMerge()
        merge.add(
            "# HELP hits_total How often.\n# TYPE hits_total counter\nhits_total 1\n", role: "gateway",
            node: "gateway-0")
        merge.add(
            "# HELP hits_total How often.\n# TYPE hits_total counter\nhits_total{code=\"401\"} 2 1700000000\n",
            role: "gateway", node: "gateway-1")
        #expect(
            merge.rendered == """
                # HELP hits_total How often.
                # TYPE hits_total counter
                hits_total{role="gateway",node="gateway-0"} 1
                hits_total{role="gateway",node="gateway-1",code="401"} 2 1700000000

                """)
    }

    @Test("keeps a histogram's samples with its head")
    func histogram() {
        var merge = MetricsMerge()
        let text = """
            # TYPE wait_seconds histogram
            wait_seconds_bucket{le="+Inf"} 3
            wait_seconds_sum 0.5
            wait_seconds_count 3
            # TYPE wait_seconds_unrelated gauge
            wait_seconds_unrelated 1
            """
        merge.add(text, role: "a", node: "a-0")
        merge.add(text, role: "b", node: "b-0")
        let lines = merge.rendered.split(separator: "\n")
        #expect(lines.first == "# TYPE wait_seconds histogram")
        #expect(lines.prefix(7).filter { $0.hasPrefix("wait_seconds_") }.count == 6)
        #expect(lines.filter { $0.hasPrefix("# TYPE wait_seconds ") }.count == 1)
        #expect(lines.contains(#"wait_seconds_bucket{role="b",node="b-0",le="+Inf"} 3"#))
    }

    @Test("renames labels that it needs itself, and only labels")
    func ownLabels() {
        var merge = MetricsMerge()
        merge.add(
            #"jobs{node="x",text="a\",role=\"b",role="y"} 1"# + "\n" + #"jobs{text="role=,node=\\",node="z"} 2"#,
            role: "r", node: "n")
        let lines = merge.rendered.split(separator: "\n")
        #expect(
            lines == [
                #"jobs{role="r",node="n",exported_node="x",text="a\",role=\"b",exported_role="y"} 1"#,
                #"jobs{role="r",node="n",text="role=,node=\\",exported_node="z"} 2"#,
            ])
    }

    @Test("survives empty labels and lines that are none", arguments: ["", "#", "# TYPE x", "{} 1", "nospace", " 1"])
    func oddLines(line: String) {
        var merge = MetricsMerge()
        merge.add(line + "\nfine{} 1\n", role: "r", node: "n")
        #expect(merge.rendered == "fine{role=\"r\",node=\"n\"} 1\n")
    }
}
