/// What coordinators do to streams and sessions: trimming, passing what nobody wants, completing, measuring lag.
///
/// Part of the library of `HandOffFunctions`, under the same rules.
extension HandOffFunctions {
    static let coordination = [trimming, passing, measuring].joined(separator: "\n")

    private static let trimming = """
        -- trim KEYS lease stream meta ARGV token groups-field → entries removed | -1 when the lease is another's
        local function trim(keys, args)
          if redis.call('HGET', keys[1], 'token') ~= args[1] then return -1 end
          local groups = list(redis.call('HGET', keys[3], args[2]))
          if #groups == 0 then return 0 end
          local lowest
          for _, group in ipairs(groups) do
            local info = group_info(keys[2], group)
            if not info then return 0 end
            local id = info['last-delivered-id']
            if not lowest or is_less(id, lowest) then lowest = id end
          end
          return redis.call('XTRIM', keys[2], 'MINID', lowest)
        end

        redis.register_function{function_name='earshot_trim', callback=trim, flags={'allow-oom'}}
        """

    private static let passing = """
        -- The session of an entry of audio, as its id is written in keys.
        local function session_of(bytes)
          local hex = string.gsub(string.sub(bytes, 5, 20), '.', function(character)
            return string.format('%02x', string.byte(character))
          end)
          return string.sub(hex, 1, 8) .. '-' .. string.sub(hex, 9, 12) .. '-' .. string.sub(hex, 13, 16) .. '-'
            .. string.sub(hex, 17, 20) .. '-' .. string.sub(hex, 21)
        end

        -- Whether nobody of a group would want an entry; for a marker also whose it is. What cannot be read is wanted.
        local function is_unwanted(bytes, flag, prefix)
          local version, kind, flags = string.byte(bytes, 1, 3)
          if version ~= 1 or #bytes < 59 then return false end
          if kind == 0 then return bit.band(flags, flag) == 0 end
          if kind ~= 1 then return false end
          local sid = session_of(bytes)
          local wanted = redis.call('HGET', prefix .. sid, 'flags')
          if not wanted then return true end
          return bit.band(tonumber(wanted), flag) == 0, sid
        end

        -- skip_unwanted KEYS lease group-lease stream meta ended
        --   ARGV token group flag seen-token seen-beat count session-prefix finals-prefix retention
        --   moves a group that nobody runs up to the first entry that it wants (protocol.md C6)
        --   → entries passed | -1 when the lease is another's | -2 when somebody runs the group
        local function skip_unwanted(keys, args)
          local lease, held, stream, meta, ended = unpack(keys)
          if redis.call('HGET', lease, 'token') ~= args[1] then return -1 end
          local state = redis.call('HMGET', held, 'token', 'beat', 'released')
          if state[1] and state[3] ~= '1' and (state[1] ~= args[4] or state[2] ~= args[5]) then return -2 end
          local info = group_info(stream, args[2])
          if not info then return 0 end
          local passed, last = 0, nil
          local after = '(' .. info['last-delivered-id']
          for _, entry in ipairs(redis.call('XRANGE', stream, after, '+', 'COUNT', args[6])) do
            local unwanted, sid = is_unwanted(entry[2][2], tonumber(args[3]), args[7])
            if not unwanted then break end
            if sid then
              redis.call('HSET', args[7] .. sid, 'done:' .. args[2], '1')
              complete(sid, args[7] .. sid, args[8] .. sid, meta, ended, args[9])
            end
            passed, last = passed + 1, entry[1]
          end
          if not last then return 0 end
          local read = info['entries-read']
          if read then redis.call('XGROUP', 'SETID', stream, args[2], last, 'ENTRIESREAD', read + passed)
          else redis.call('XGROUP', 'SETID', stream, args[2], last) end
          return passed
        end

        -- complete_ended KEYS lease meta ended ARGV token session-prefix finals-prefix retention
        --   completes the sessions that wait only for groups that are not enabled any more
        --   → sessions completed | -1 when the lease is another's
        local function complete_ended(keys, args)
          if redis.call('HGET', keys[1], 'token') ~= args[1] then return -1 end
          local completed = 0
          for _, sid in ipairs(redis.call('SMEMBERS', keys[3])) do
            local session = args[2] .. sid
            if redis.call('EXISTS', session) == 0 then redis.call('SREM', keys[3], sid)
            elseif complete(sid, session, args[3] .. sid, keys[2], keys[3], args[4]) then completed = completed + 1 end
          end
          return completed
        end

        redis.register_function{function_name='earshot_skip_unwanted', callback=skip_unwanted, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_complete_ended', callback=complete_ended, flags={'allow-oom'}}
        """

    private static let measuring = """
        -- The time of an entry in Unix µs: the capture time of audio, else when it was appended.
        local function time_of(entry, kind)
          if kind ~= 'audio' then return split_id(entry[1]) * 1000 end
          local bytes, time = entry[2][2], 0
          if #bytes < 58 then return 0 end
          for i = 51, 58 do time = time * 256 + string.byte(bytes, i) end
          return time
        end

        -- How long the audio of an entry is, in µs. At 16 kHz if the registry has forgotten its session.
        local function duration_of(entry, prefix, rates)
          local bytes, samples = entry[2][2], 0
          if #bytes < 58 or string.byte(bytes, 2) ~= 0 then return 0 end
          for i = 45, 48 do samples = samples * 256 + string.byte(bytes, i) end
          local sid = session_of(bytes)
          rates[sid] = rates[sid] or tonumber(redis.call('HGET', prefix .. sid, 'rate') or '16000')
          return samples * 1000000 / rates[sid]
        end

        -- How long the audio of unread entries is, in µs: of many by the mean of the first and last.
        local function backlog_of(stream, position, unread, prefix)
          local kept, sum, rates = 32, 0, {}
          local sample = redis.call('XRANGE', stream, '(' .. position, '+', 'COUNT', 2 * kept)
          if unread > 2 * kept and #sample == 2 * kept then
            local last = redis.call('XREVRANGE', stream, '+', '(' .. position, 'COUNT', kept)
            for i = 1, kept do sample[kept + i] = last[i] end
          end
          for _, entry in ipairs(sample) do sum = sum + duration_of(entry, prefix, rates) end
          return sum / #sample * unread
        end

        -- lag KEYS stream parked-index ARGV group kind session-prefix
        --   → length, unread entries or -1 when nobody can tell, µs from the first unread entry to the last (audio) or
        --   to now (the others), parked entries, parked bytes, µs of audio that is unread
        local function lag(keys, args)
          local parked = redis.call('HMGET', keys[2], 'entries', 'bytes')
          local reply = {0, 0, 0, tonumber(parked[1] or '0'), tonumber(parked[2] or '0'), 0}
          if redis.call('EXISTS', keys[1]) == 0 then return reply end
          reply[1] = redis.call('XLEN', keys[1])
          local info = group_info(keys[1], args[1])
          if not info then
            if reply[1] > 0 then reply[2] = -1 end
          else
            reply[2] = info['lag'] or -1
          end
          local position = info and info['last-delivered-id'] or '0-0'
          local first = redis.call('XRANGE', keys[1], '(' .. position, '+', 'COUNT', 1)[1]
          if first then
            local clock = redis.call('TIME')
            local till = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
            if args[2] == 'audio' then
              till = time_of(redis.call('XREVRANGE', keys[1], '+', '-', 'COUNT', 1)[1], 'audio')
              local unread = reply[2] < 0 and reply[1] or math.min(reply[2], reply[1])
              reply[6] = backlog_of(keys[1], position, unread, args[3])
            end
            reply[3] = math.max(0, till - time_of(first, args[2]))
          end
          return reply
        end

        redis.register_function{function_name='earshot_lag', callback=lag, flags={'no-writes'}}
        """
}
