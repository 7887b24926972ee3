import Crypto
import FoundationEssentials

/// One `NNNN_name.up.sql`.
struct MigrationFile: Equatable {
    let number: Int
    let name: String
    let sql: String

    /// SHA-256 of the text, in hexadecimal: what was applied must stay what it was.
    var checksum: String {
        SHA256.hash(data: Data(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Reads a directory's migrations, in order, numbered 1, 2, 3 … without a gap.
    static func all(in directory: String) throws(MigrationError) -> [MigrationFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw MigrationError(.noMigrations, "the migrations directory \(directory) cannot be read")
        }
        var files: [MigrationFile] = []
        for name in names.sorted() where name.hasSuffix(".up.sql") {
            files.append(try MigrationFile(directory: directory, fileName: name))
        }
        guard !files.isEmpty else {
            throw MigrationError(.noMigrations, "there is no NNNN_name.up.sql in \(directory)")
        }
        for (index, file) in files.enumerated() where file.number != index + 1 {
            throw MigrationError(
                .badName, "migration \(file.name) has number \(file.number), expected \(index + 1)")
        }
        return files
    }

    private init(directory: String, fileName: String) throws(MigrationError) {
        let stem = fileName.dropLast(".up.sql".count)
        let digits = stem.prefix { $0.isASCII && $0.isNumber }
        guard digits.count == 4, let number = Int(digits), stem.dropFirst(4).first == "_" else {
            throw MigrationError(.badName, "\(fileName) is not NNNN_name.up.sql")
        }
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(fileName)"),
            let sql = String(validating: data, as: UTF8.self)
        else { throw MigrationError(.noMigrations, "\(directory)/\(fileName) cannot be read as UTF-8") }
        self.number = number
        self.name = String(stem)
        self.sql = sql
    }
}
