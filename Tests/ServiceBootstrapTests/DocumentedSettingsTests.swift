import Foundation
import Testing

@testable import ServiceBootstrap

/// The documents against the code: an operator finds every setting, and no setting that is none.
@Suite("Documented settings")
struct DocumentedSettingsTests {
    private static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let documents = ["operations", "webhooks", "backend-door", "speech"]

    /// Variables that `earshot up` and the roles speak by beside `Settings`, or whose key is put together in pieces.
    private static let others: Set<String> = ["EARSHOT_DATA_DIR", "EARSHOT_MIGRATIONS_DIR"]

    /// What `Settings` is asked for, anywhere in the product.
    private static func variablesInCode() throws -> Set<String> {
        let sources = checkout.appendingPathComponent("Sources")
        let readers = "text|secretText|string|requiredString|int|bool|duration|endpoint|list|choice|secret|url"
        let call = try Regex(
            #"[^A-Za-z](?:"# + readers + #")\(\s*"([a-z0-9]+(?:\.[a-z0-9]+)*)"\s*[,)]"#,
            as: (Substring, Substring).self)
        var found: Set<String> = []
        let files = try #require(FileManager.default.enumerator(atPath: sources.path)).compactMap { $0 as? String }
        for file in files where file.hasSuffix(".swift") {
            let code = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
            guard code.contains("ettings") else { continue }
            for match in code.matches(of: call) { found.insert(Settings.variable(String(match.output.1))) }
        }
        return found
    }

    private static func document(_ name: String) throws -> String {
        try String(contentsOf: checkout.appendingPathComponent("docs/\(name).md"), encoding: .utf8)
    }

    @Test("Every setting of the code stands in a document")
    func complete() throws {
        let code = try Self.variablesInCode()
        // The search itself must not fail silently.
        #expect(code.isSuperset(of: ["EARSHOT_REDIS_URL", "EARSHOT_S3_SECRET_KEY", "EARSHOT_BACKEND_KEYS"]))
        let documents = try Self.documents.map(Self.document).joined()
        let missing = code.union(Self.others).filter { !documents.contains("`\($0)`") }
        #expect(missing.sorted() == [])
    }

    @Test("The operator's tables name no setting that there is not")
    func noOthers() throws {
        let code = try Self.variablesInCode().union(Self.others)
        for name in Self.documents {
            let rows = try Self.document(name).split(separator: "\n").filter { $0.hasPrefix("| `EARSHOT_") }
            let named = rows.compactMap { $0.split(separator: "|").first }.flatMap { cell in
                cell.matches(of: /`(EARSHOT_[A-Z0-9_]+)`/).map { String($0.output.1) }
            }
            #expect(named.filter { !code.contains($0) } == [], "docs/\(name).md")
        }
    }
}
