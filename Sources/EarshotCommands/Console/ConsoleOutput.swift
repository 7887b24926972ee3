import Foundation
import Glibc

/// The one way to the person, or the program, that started a command.
enum ConsoleOutput {
    /// Whether standard output is a terminal: only then are tokens, colours and moving lines written to it.
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The terminal's width in columns; 80 when nobody says.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Writes a line to standard output.
    static func line(_ text: String) { write(text + "\n") }

    /// Writes to standard output without a line's end.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Asks for less, rather than fails, when nobody reads any more: `earshot sessions | head` is no error.
    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
