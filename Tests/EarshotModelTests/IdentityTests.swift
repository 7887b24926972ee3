import Testing

@testable import EarshotModel

@Suite struct IdentityTests {
    @Test("FNV-1a-64 gives the published values")
    func hash() {
        #expect(Partition.fnv1a64("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(Partition.fnv1a64("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(Partition.fnv1a64("foobar".utf8) == 0x8594_4171_f739_67e8)
    }

    @Test("A partition's tag has three digits")
    func tag() {
        #expect(Partition(7).description == "p007")
        #expect(Partition(255).description == "p255")
    }

    @Test("Version 5 ids are those of RFC 9562")
    func derivedID() throws {
        // The RFC's own example: the DNS namespace and www.example.com.
        let dns = try #require(UniqueID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
        #expect(
            UniqueID.derived(from: dns, name: "www.example.com").description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    }

    @Test("Time-ordered ids sort by birth and say their version")
    func timeOrdered() {
        let earlier = UniqueID.timeOrdered(at: 1_700_000_000_000_000)
        let later = UniqueID.timeOrdered(at: 1_700_000_000_001_000)
        #expect(earlier < later)
        #expect(Array(earlier.description)[14] == "7")
        #expect("89ab".contains(Array(earlier.description)[19]))
    }

    @Test("An id reads its own text and refuses others")
    func text() {
        let id = UniqueID.timeOrdered(at: 5)
        #expect(UniqueID(id.description) == id)
        #expect(UniqueID(id.description.uppercased()) == id)
        for bad in [
            "", "x", String(id.description.dropLast()), id.description + "0", String(repeating: "-", count: 36),
        ] {
            #expect(UniqueID(bad) == nil)
        }
    }

    @Test(
        "A user id is letters, digits, underscore and dash",
        arguments: ["a", "A-b_9", String(repeating: "x", count: 128)])
    func allowedUser(text: String) { #expect(UserID(text)?.text == text) }

    @Test(
        "Other user ids are refused",
        arguments: ["", "a b", "ä", "a/b", "a{p}", "..", String(repeating: "x", count: 129)])
    func refusedUser(text: String) { #expect(UserID(text) == nil) }

    @Test("Two starts of one name are two incarnations, and both read back")
    func incarnation() {
        let first = Incarnation(startingAs: "gateway-0")
        let second = Incarnation(startingAs: "gateway-0")
        #expect(first != second)
        #expect(first.name == second.name)
        #expect(Incarnation(first.description) == first)
        #expect(Incarnation("plain") == nil)
    }

    @Test("Stream positions order by time, then by sequence")
    func positions() {
        #expect(StreamPosition("5-1").map { $0 < StreamPosition(milliseconds: 5, sequence: 2) } == true)
        #expect(StreamPosition("10-0").map { $0 > StreamPosition(milliseconds: 9, sequence: 99) } == true)
        #expect(StreamPosition("x-1") == nil)
        #expect(StreamPosition("1-x") == nil)
        #expect(StreamPosition("17") == StreamPosition(milliseconds: 17, sequence: 0))
    }

    @Test("A segment's id depends on its session and ordinal alone")
    func segmentIDs() {
        let session = SessionID.new(at: 1)
        #expect(SegmentID.of(session: session, ordinal: 3) == SegmentID.of(session: session, ordinal: 3))
        #expect(SegmentID.of(session: session, ordinal: 3) != SegmentID.of(session: session, ordinal: 4))
        #expect(SegmentID.of(session: session, ordinal: 3) != SegmentID.of(session: .new(at: 1), ordinal: 3))
    }
}
