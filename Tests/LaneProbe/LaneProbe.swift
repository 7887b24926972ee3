@main
enum LaneProbe {
    static func main() async throws {}
}
