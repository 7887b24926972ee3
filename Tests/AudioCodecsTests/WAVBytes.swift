/// Builds the bytes of WAV files for tests, right or wrong ones.
struct WAVBytes {
    enum Kind: CaseIterable, Sendable {
        case integer8
        case integer16
        case integer24
        case integer32
        case float32

        var bits: Int {
            switch self {
            case .integer8: 8
            case .integer16: 16
            case .integer24: 24
            case .integer32, .float32: 32
            }
        }

        func bytes(_ sample: Int16) -> [UInt8] {
            let bits = UInt16(bitPattern: sample)
            let both = [UInt8(bits & 0xFF), UInt8(bits >> 8)]
            return switch self {
            case .integer8: [UInt8((Int(sample) >> 8) + 128)]
            case .integer16: both
            case .integer24: [0] + both
            case .integer32: [0, 0] + both
            case .float32: WAVBytes.little(Int((Float(sample) / 32_768).bitPattern), 4)
            }
        }
    }

    var tag: Int
    var bits: Int
    var channels: Int
    var sampleRate = 16_000
    var blockAlign: Int
    var isExtensible = false
    var before: [(String, [UInt8])] = []
    var data: [UInt8] = []
    var declaredData: Int?
    var after: [(String, [UInt8])] = []

    init(kind: Kind, channels: Int) {
        tag = kind == .float32 ? 3 : 1
        bits = kind.bits
        self.channels = channels
        blockAlign = channels * kind.bits / 8
    }

    static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) }
    }

    func encoded() -> [UInt8] {
        var format = Self.little(isExtensible ? 0xFFFE : tag, 2) + Self.little(channels, 2)
        format += Self.little(sampleRate, 4) + Self.little(sampleRate * blockAlign, 4)
        format += Self.little(blockAlign, 2) + Self.little(bits, 2)
        if isExtensible {
            format += Self.little(22, 2) + Self.little(bits, 2) + Self.little(0, 4) + Self.little(tag, 2)
            format += [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
        }
        var body = [UInt8]("WAVE".utf8)
        for (name, content) in before { body += Self.chunk(name, content) }
        body += Self.chunk("fmt ", format)
        body += Self.chunk("data", data, declared: declaredData)
        for (name, content) in after { body += Self.chunk(name, content) }
        return [UInt8]("RIFF".utf8) + Self.little(body.count, 4) + body
    }

    private static func chunk(_ name: String, _ content: [UInt8], declared: Int? = nil) -> [UInt8] {
        [UInt8](name.utf8) + little(declared ?? content.count, 4) + content
            + (content.count.isMultiple(of: 2) ? [] : [0])
    }
}
