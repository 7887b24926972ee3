import RedisClient

/// The Redis functions of the hand-off, as one library that the client loads.
///
/// Functions that free or fence carry `allow-oom`, so that a full Redis still drains (protocol.md C5). Every function
/// checks its arguments and its fence before its first write, because one that fails half way keeps what it wrote.
/// KEYS and ARGV of each are listed above it in the Lua text; `HandOffCommands` builds the calls.
enum HandOffFunctions {
    /// The library; raise the version with every change of the text.
    static let library: RedisFunctionLibrary = {
        let code = [shared, fleet, sessions, parking, leases, commits, coordination, ConversationFunctions.code]
            .joined(separator: "\n")
        do throws(RedisError) {
            return try RedisFunctionLibrary(name: "earshot", version: 18, code: code)
        } catch {
            preconditionFailure("the library's own name and version are legal: \(error)")
        }
    }()

    private static let shared = """
        -- Splits 'ms-seq' into two numbers.
        local function split_id(id)
          local ms, seq = string.match(id, '^(%d+)-(%d+)$')
          return tonumber(ms), tonumber(seq)
        end

        local function is_less(a, b)
          local a1, a2 = split_id(a)
          local b1, b2 = split_id(b)
          if a1 ~= b1 then return a1 < b1 end
          return a2 < b2
        end

        local function fields(flat)
          local result = {}
          for i = 1, #flat, 2 do result[flat[i]] = flat[i + 1] end
          return result
        end

        -- The entries that went before the first one still there.
        local function entries_trimmed(stream)
          local info = fields(redis.call('XINFO', 'STREAM', stream))
          return info['entries-added'] - info['length'], info['last-generated-id']
        end

        -- Creates a group at the stream's beginning, with a true count of what it will never read.
        local function ensure_group(stream, group)
          local trimmed = 0
          if redis.call('EXISTS', stream) == 1 then trimmed = entries_trimmed(stream) end
          local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM', 'ENTRIESREAD', trimmed)
          if made.err and string.sub(made.err, 1, 9) ~= 'BUSYGROUP' then return made end
          return nil
        end

        local function group_info(stream, group)
          local groups = redis.pcall('XINFO', 'GROUPS', stream)
          if groups.err then return nil end
          for _, flat in ipairs(groups) do
            local info = fields(flat)
            if info['name'] == group then return info end
          end
          return nil
        end

        local function list(text)
          local result = {}
          for word in string.gmatch(text or '', '[^,]+') do result[#result + 1] = word end
          return result
        end
        """

    private static let fleet = """
        -- fleet_join KEYS meta ARGV partitions hash version → the three that hold
        local function fleet_join(keys, args)
          redis.call('HSETNX', keys[1], 'partitions', args[1])
          redis.call('HSETNX', keys[1], 'hash', args[2])
          redis.call('HSETNX', keys[1], 'version', args[3])
          return redis.call('HMGET', keys[1], 'partitions', 'hash', 'version')
        end

        -- member_join KEYS members ARGV incarnation name → OK; older incarnations of the name are gone
        local function member_join(keys, args)
          for _, member in ipairs(redis.call('HKEYS', keys[1])) do
            if member ~= args[1] and string.match(member, '^(.*)#[^#]*$') == args[2] then
              redis.call('HDEL', keys[1], member)
            end
          end
          redis.call('HINCRBY', keys[1], args[1], 1)
          return redis.status_reply('OK')
        end

        -- member_beat KEYS members ARGV incarnation → member, beat, …
        local function member_beat(keys, args)
          redis.call('HINCRBY', keys[1], args[1], 1)
          return redis.call('HGETALL', keys[1])
        end

        -- member_forget KEYS members ARGV incarnation beat → 1 | 0 when it has beaten since, or is gone
        local function member_forget(keys, args)
          if redis.call('HGET', keys[1], args[1]) ~= args[2] then return 0 end
          return redis.call('HDEL', keys[1], args[1])
        end

        -- enable KEYS meta audio events samples ARGV audio-groups event-groups sample-groups nonce
        --   → the partition's incarnation; the first nonce that comes is it (protocol.md M14)
        local function enable(keys, args)
          for _, group in ipairs(list(args[1])) do
            local failed = ensure_group(keys[2], group)
            if failed then return failed end
          end
          for _, group in ipairs(list(args[2])) do
            local failed = ensure_group(keys[3], group)
            if failed then return failed end
          end
          for _, group in ipairs(list(args[3])) do
            local failed = ensure_group(keys[4], group)
            if failed then return failed end
          end
          redis.call('HSET', keys[1], 'audio_groups', args[1], 'event_groups', args[2], 'sample_groups', args[3])
          redis.call('HSETNX', keys[1], 'incarnation', args[4])
          return redis.call('HGET', keys[1], 'incarnation')
        end

        redis.register_function{function_name='earshot_fleet_join', callback=fleet_join, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_member_join', callback=member_join, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_member_beat', callback=member_beat, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_member_forget', callback=member_forget, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_enable', callback=enable, flags={'allow-oom'}}
        """

    private static let leases = """
        -- A lapse counts against the entry that its owner had in hand (protocol.md H5), and against no other: an owner
        -- that replays names what it touches, and of one that does not nobody knows.
        local function note_lapse(lease, token, hand)
          if not hand or hand == '' then return end
          redis.call('HINCRBY', lease, 'crash:' .. hand, 1)
          redis.call('HSET', lease, 'lapse:' .. token, hand, 'suspects', '1')
        end

        -- An owner that lapsed and comes back with its old token did not crash: what was counted for it is taken back.
        local function take_back(lease, token)
          local hand = redis.call('HGET', lease, 'lapse:' .. token)
          if hand then
            redis.call('HDEL', lease, 'lapse:' .. token)
            if redis.call('HINCRBY', lease, 'crash:' .. hand, -1) <= 0 then
              redis.call('HDEL', lease, 'crash:' .. hand)
            end
          end
        end

        -- Forgets the lapses that a hand stands for, or all of them.
        local function forget_lapses(lease, hand)
          local all = redis.call('HGETALL', lease)
          for i = 1, #all, 2 do
            if string.sub(all[i], 1, 6) == 'lapse:' and (not hand or all[i + 1] == hand) then
              redis.call('HDEL', lease, all[i])
            end
          end
          if not hand then redis.call('HDEL', lease, 'suspects') end
        end

        -- Adds hand and count of every crash.
        local function append_crashes(reply, lease)
          local all = redis.call('HGETALL', lease)
          for i = 1, #all, 2 do
            if string.sub(all[i], 1, 6) == 'crash:' then
              reply[#reply + 1] = string.sub(all[i], 7)
              reply[#reply + 1] = tonumber(all[i + 1])
            end
          end
        end

        -- acquire KEYS lease [stream parked-index] ARGV group owner nonce seen-token seen-beat
        --   repeating it with the same nonce gives the same grant
        --   → HELD token beat owner | GRANTED token mode position entries-read horizon parked crash count …
        local function acquire(keys, args)
          local lease, stream, index = unpack(keys)
          local state = redis.call('HMGET', lease, 'token', 'beat', 'owner', 'released', 'hand', 'mode')
          local mode = 'fresh'
          local is_repetition = state[1] and state[4] ~= '1' and string.match(state[1], ':(.+)$') == args[3]
          if is_repetition then mode = state[6]
          elseif state[1] then
            if state[4] == '1' then mode = 'released'
            elseif state[3] == args[2] then mode = 'retaken'
            elseif state[1] == args[4] and state[2] == args[5] then mode = 'lapsed'
            else return {'HELD', state[1], state[2], state[3]} end
          end
          local position, read, horizon = '0-0', 0, '0-0'
          if stream then
            local failed = ensure_group(stream, args[1])
            if failed then return failed end
            local info = group_info(stream, args[1])
            local trimmed, last = entries_trimmed(stream)
            position, read, horizon = info['last-delivered-id'], info['entries-read'] or trimmed, last
          end
          local token = state[1]
          if not is_repetition then
            if mode == 'lapsed' then note_lapse(lease, state[1], state[5]) end
            local counter = 1
            if state[1] then counter = tonumber(string.match(state[1], '^(%d+):')) + 1 end
            token = string.format('%d', counter) .. ':' .. args[3]
            redis.call('HSET', lease, 'token', token, 'beat', '0', 'owner', args[2], 'released', '0', 'number', '0',
              'hand', '', 'mode', mode)
          end
          local reply = {'GRANTED', token, mode, position, read, horizon, index and parked_lanes(index) or {}}
          append_crashes(reply, lease)
          return reply
        end

        -- renew KEYS lease ARGV token settled → 1 | 0
        --   settled: 1 when the owner replays nothing
        local function renew(keys, args)
          local lease = keys[1]
          local state = redis.call('HMGET', lease, 'token', 'suspects')
          if state[1] ~= args[1] then
            if state[1] then take_back(lease, args[1]) end
            return 0
          end
          redis.call('HINCRBY', lease, 'beat', 1)
          if args[2] == '1' and state[2] then forget_lapses(lease) end
          return 1
        end

        -- release KEYS lease ARGV token → 1 | 0
        local function release(keys, args)
          if redis.call('HGET', keys[1], 'token') ~= args[1] then return 0 end
          redis.call('HSET', keys[1], 'released', '1')
          return 1
        end

        -- hand KEYS lease ARGV token hand cleared → 1 | 0
        local function hand(keys, args)
          if redis.call('HGET', keys[1], 'token') ~= args[1] then return 0 end
          redis.call('HSET', keys[1], 'hand', args[2])
          if args[3] ~= '' then
            redis.call('HDEL', keys[1], 'crash:' .. args[3])
            forget_lapses(keys[1], args[3])
          end
          return 1
        end

        redis.register_function{function_name='earshot_acquire', callback=acquire, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_renew', callback=renew, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_release', callback=release, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_hand', callback=hand, flags={'allow-oom'}}
        """

    private static let commits = """
        -- Reads the lanes of a commit, and where they end; nil when the counts do not add up.
        local function parse_lanes(args, first, count)
          local lanes, at = {}, first
          for _ = 1, count do
            local lane = {sid = args[at], next = args[at + 1], ordinal = args[at + 2], written = args[at + 3],
              state = args[at + 4], done = args[at + 5], heard = args[at + 6], speech = args[at + 7],
              events = {}, finals = {}, dead = {}, again = {}}
            at = at + 8
            for _, kind in ipairs({'events', 'finals', 'dead', 'again'}) do
              local n = tonumber(args[at])
              if not n or at + n > #args then return nil end
              for i = 1, n do lane[kind][i] = args[at + i] end
              at = at + n + 1
            end
            lanes[#lanes + 1] = lane
          end
          return lanes, at
        end

        -- Completes an ended session once every enabled group has passed its marker (protocol.md M16).
        local function complete(sid, session, finals, meta, ended, retention)
          for _, enabled in ipairs(list(redis.call('HGET', meta, 'audio_groups'))) do
            if redis.call('HGET', session, 'done:' .. enabled) ~= '1' then return false end
          end
          redis.call('HSET', session, 'completed', '1')
          expire_chain(sid, session, retention)
          redis.call('EXPIRE', finals, retention)
          redis.call('SREM', ended, sid)
          return true
        end

        -- Notes how far a conversation was heard; its silence is measured by that (protocol.md H3).
        local function note_heard(lane, session, prefix)
          local known = redis.call('HMGET', session, 'uid', 'conversation')
          local conversation = prefix .. (known[1] or '') .. '/' .. (known[2] or '')
          if lane.heard == '' or redis.call('EXISTS', conversation) == 0 then return end
          redis.call('HSET', conversation, 'h:' .. lane.sid, lane.heard)
          local last = tonumber(redis.call('HGET', conversation, 'speech') or '0')
          if lane.speech ~= '' and tonumber(lane.speech) > last then
            redis.call('HSET', conversation, 'speech', lane.speech)
          end
        end

        local function apply_lane(lane, session, finals, stream, events, meta, dead, options)
          local group = options.group
          -- Nothing is written for a session the registry has forgotten: it would stay for ever.
          local is_known = lane.sid ~= '' and redis.call('EXISTS', session) == 1
          if is_known then
            redis.call('HSET', session, 'next:' .. group, lane.next, 'ordinal:' .. group, lane.ordinal,
              'written:' .. group, lane.written, 'state:' .. group, lane.state)
            note_heard(lane, session, options.conversations)
          end
          for _, event in ipairs(lane.events) do redis.call('XADD', events, '*', 'e', event) end
          for _, entry in ipairs(lane.again) do redis.call('XADD', stream, '*', 'e', entry) end
          for i = 1, #lane.dead, 2 do
            redis.call('XADD', dead, 'MAXLEN', '~', options.dead, '*', 'e', lane.dead[i], 'reason', lane.dead[i + 1])
          end
          if is_known and #lane.finals > 0 then
            local gateway = redis.call('HGET', session, 'gateway')
            for _, result in ipairs(lane.finals) do
              redis.call('RPUSH', finals, result)
              redis.call('PUBLISH', options.channel .. gateway, result)
            end
            redis.call('LTRIM', finals, -options.kept, -1)
            redis.call('EXPIRE', finals, options.retention)
          end
          if is_known and lane.done == '1' then
            redis.call('HSET', session, 'done:' .. group, '1')
            complete(lane.sid, session, finals, meta, options.ended, options.retention)
          end
        end

        -- commit KEYS lease stream events meta dead parked-index ended (session finals)… parked…
        --   ARGV token number group position-or-empty entries-read channel kept retention dead-maximum
        --   conversation-prefix lanes (sid next ordinal written state done heard speech n events… n finals… n dead…
        --   n again…)…
        --   (unparked-sid kept-from-or-empty)…
        --   → OK | DONE | FENCED | ORDER
        local function commit(keys, args)
          local lease, stream, events, meta, dead, index, ended = unpack(keys, 1, 7)
          local state = redis.call('HMGET', lease, 'token', 'number')
          if state[1] ~= args[1] then
            if state[1] then take_back(lease, args[1]) end
            return redis.status_reply('FENCED')
          end
          local number, last = tonumber(args[2]), tonumber(state[2])
          if number <= last then return redis.status_reply('DONE') end
          if number ~= last + 1 then return redis.status_reply('ORDER') end
          local lanes, unparked = parse_lanes(args, 12, tonumber(args[11]))
          if not lanes or #args + 1 - unparked ~= 2 * (#keys - 7 - 2 * #lanes) then
            return redis.error_reply('ARGS of a commit do not add up')
          end
          if args[4] ~= '' and not group_info(stream, args[3]) then
            return redis.error_reply('NOGROUP the stream or its group is gone')
          end
          local options = {group = args[3], channel = args[6], kept = tonumber(args[7]),
            retention = tonumber(args[8]), dead = args[9], conversations = args[10], ended = ended}
          for i, lane in ipairs(lanes) do
            apply_lane(lane, keys[6 + 2 * i], keys[7 + 2 * i], stream, events, meta, dead, options)
          end
          for i = 8 + 2 * #lanes, #keys do
            unpark(keys[i], index, args[unparked], args[unparked + 1])
            unparked = unparked + 2
          end
          if args[4] ~= '' then
            redis.call('XGROUP', 'SETID', stream, args[3], args[4], 'ENTRIESREAD', args[5])
          end
          redis.call('HSET', lease, 'number', args[2])
          return redis.status_reply('OK')
        end

        -- publish KEYS lease ARGV token channel payload → 1 | 0
        local function publish(keys, args)
          if redis.call('HGET', keys[1], 'token') ~= args[1] then return 0 end
          redis.call('PUBLISH', args[2], args[3])
          return 1
        end

        redis.register_function{function_name='earshot_commit', callback=commit, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_publish', callback=publish, flags={'allow-oom'}}
        """
}
