/// How a log record is written: a line for people, or a JSON object for machines.
package enum LogFormat: String, Sendable, CaseIterable {
    case text
    case json
}
