/// A library of server-side functions (Redis 7 `FUNCTION`), with a version that can be read from the server.
package struct RedisFunctionLibrary: Sendable, Hashable {
    /// The library's name on the server: letters, digits and underscores.
    package let name: String
    /// Its version; a higher one replaces a lower one, never the other way round.
    package let version: Int
    /// The Lua source, without the `#!lua` line.
    package let code: String

    /// Describes a library.
    ///
    /// The client writes the `#!lua name=…` line and registers a function `<name>_version`, which takes no keys and
    /// returns the version. Code that registers a function of that name itself is left alone and must return the
    /// same number.
    ///
    /// - Parameters:
    ///   - name: Letters, digits and underscores.
    ///   - version: 1 or above.
    ///   - code: The Lua source, without the `#!lua` line.
    /// - Throws: `RedisError` with code `.invalidConfiguration`.
    package init(name: String, version: Int, code: String) throws(RedisError) {
        let isPlain = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x5F
        }
        try RedisConfiguration.require(
            !name.isEmpty && isPlain,
            "a function library cannot be called '\(name)'; allowed are letters, digits and underscores")
        try RedisConfiguration.require(
            version >= 1, "the function library \(name) has version \(version); allowed are 1 and above")
        try RedisConfiguration.require(
            !code.hasPrefix("#!"), "the function library \(name) starts with #!; the client writes that line")
        self.name = name
        self.version = version
        self.code = code
    }

    /// The function that answers with the version.
    package var versionFunction: String { "\(name)_version" }

    /// What is sent to the server.
    var source: String {
        let head = "#!lua name=\(name)\n\(code)\n"
        guard !code.contains(versionFunction) else { return head }
        return head + """
            redis.register_function{
              function_name='\(versionFunction)',
              callback=function() return \(version) end,
              flags={'no-writes', 'allow-stale'}
            }

            """
    }
}
