/// The functions about users: their settings, their conversations, messages to their devices, their events.
///
/// Part of the library of `HandOffFunctions`, under the same rules.
enum ConversationFunctions {
    static let code = [settings, messages, conversations].joined(separator: "\n")

    private static let settings = """
        -- settings_put KEYS settings wanted ARGV uid document flags channel → 1 | 0 when what is there is newer
        local function settings_put(keys, args)
          local known = redis.call('HGET', keys[1], args[1])
          if known and cjson.decode(known)['revision'] > cjson.decode(args[2])['revision'] then return 0 end
          redis.call('HSET', keys[1], args[1], args[2])
          redis.call('HSET', keys[2], args[1], args[3])
          redis.call('PUBLISH', args[4], args[1])
          return 1
        end

        redis.register_function{function_name='earshot_settings_put', callback=settings_put, flags={'allow-oom'}}
        """

    private static let messages = """
        -- notify KEYS user ARGV session-prefix channel-prefix text → how many sessions were told
        local function notify(keys, args)
          local told = 0
          for _, field in ipairs(redis.call('HKEYS', keys[1])) do
            local sid = string.match(field, '^s:(.+)$')
            local gateway = sid and redis.call('HGET', args[1] .. sid, 'gateway')
            if gateway then
              redis.call('PUBLISH', args[2] .. gateway, 'message ' .. sid .. ' 0 0' .. string.char(10) .. args[3])
              told = told + 1
            end
          end
          return told
        end

        -- event KEYS session events ARGV epoch event ordinal → OK | LOST when the session is another's or over
        --   an ordinal that was appended before is answered alike, also behind the end, and not appended again
        local function event(keys, args)
          local state = redis.call('HMGET', keys[1], 'epoch', 'end', 'event')
          if state[1] ~= args[1] then return redis.status_reply('LOST') end
          if state[3] and tonumber(args[3]) <= tonumber(state[3]) then return redis.status_reply('OK') end
          if state[2] then return redis.status_reply('LOST') end
          redis.call('XADD', keys[2], '*', 'e', args[2])
          redis.call('HSET', keys[1], 'event', args[3])
          return redis.status_reply('OK')
        end

        redis.register_function{function_name='earshot_notify', callback=notify, flags={'allow-oom'}}
        redis.register_function('earshot_event', event)
        """

    private static let conversations = """
        -- Begins to close a conversation: nobody continues it from here on.
        local function begin_closing(conversation, user, id, now)
          redis.call('HSET', conversation, 'state', 'closing', 'closing', now)
          if redis.call('HGET', user, 'conversation') == id then redis.call('HDEL', user, 'conversation') end
        end

        -- Whether an open conversation is over: nobody is in it, and nobody may continue it any more. One that is not
        -- the user's own counts from its own last end; who names it also ends it.
        local function is_over(conversation, user, id, now)
          if is_shared(conversation, user) then return false end
          local state = redis.call('HMGET', user, 'conversation', 'touched', 'timeout')
          local last = state[2]
          if state[1] ~= id then
            local own = redis.call('HMGET', conversation, 'last', 'bound')
            last = not own[2] and own[1]
          end
          return not last or now - tonumber(last) > tonumber(state[3] or '0') * 1000000
        end

        -- Whether an open conversation is silent for longer than its timeout, in audio time, in every session that is
        -- live in it; who names its conversations also ends them. Lanes do not wait for one another, so that one that
        -- is far behind the others may hold speech, and is waited for, as is one that was never heard.
        local function is_silent(conversation, user, start)
          local state = redis.call('HMGET', conversation, 'speech', 'bound')
          if state[2] then return false end
          local heard
          for _, field in ipairs(redis.call('HKEYS', conversation)) do
            local sid = string.match(field, '^s:(.+)$')
            if sid and redis.call('HEXISTS', user, field) == 1 then
              local upto = tonumber(redis.call('HGET', conversation, 'h:' .. sid) or start)
              if not heard or upto < heard then heard = upto end
            end
          end
          local timeout = tonumber(redis.call('HGET', user, 'timeout') or '0')
          return heard and heard - tonumber(state[1] or start) > timeout * 1000000
        end

        -- Tells the gateways of a silent conversation's sessions, by their tail checks, to begin another.
        local function switch_sessions(conversation, user, prefix)
          for _, field in ipairs(redis.call('HKEYS', conversation)) do
            local sid = string.match(field, '^s:(.+)$')
            if sid and redis.call('HEXISTS', user, field) == 1 then
              redis.call('HSET', prefix .. sid, 'switch', '1')
            end
          end
        end

        -- conversation_close KEYS conversation user ARGV id now session-prefix language-or-empty → OK | DONE | GONE
        --   other sessions that are live in it go on in another
        local function conversation_close(keys, args)
          local state = redis.call('HGET', keys[1], 'state')
          if not state then return redis.status_reply('GONE') end
          if args[4] ~= '' then redis.call('HSET', keys[1], 'language', args[4]) end
          if state ~= 'open' then return redis.status_reply('DONE') end
          switch_sessions(keys[1], keys[2], args[3])
          begin_closing(keys[1], keys[2], args[1], args[2])
          return redis.status_reply('OK')
        end

        -- Whether the transcript group has passed every session of the conversation; a session that the registry has
        -- forgotten was passed long ago.
        local function is_through(conversation, prefix)
          for _, field in ipairs(redis.call('HKEYS', conversation)) do
            local sid = string.match(field, '^s:(.+)$')
            if sid then
              local session = redis.call('HMGET', prefix .. sid, 'epoch', 'end', 'done:transcript')
              if session[1] and (not session[2] or session[3] ~= '1') then return false end
            end
          end
          return true
        end

        -- Whether all audio of the conversation is stored that is to be.
        local function is_stored(conversation, prefix, meta, group, flag)
          local enabled = false
          for _, name in ipairs(list(redis.call('HGET', meta, 'audio_groups'))) do
            enabled = enabled or name == group
          end
          if not enabled then return true end
          for _, field in ipairs(redis.call('HKEYS', conversation)) do
            local sid = string.match(field, '^s:(.+)$')
            if sid then
              local session = redis.call('HMGET', prefix .. sid, 'epoch', 'flags', 'done:' .. group)
              if session[1] and bit.band(tonumber(session[2] or '0'), tonumber(flag)) ~= 0 and session[3] ~= '1' then
                return false
              end
            end
          end
          return true
        end

        -- conversation_settle KEYS lease conversation conversations user events meta
        --   ARGV token id session-prefix now times event retention record-group uid storage-group storage-flag patience
        --   → OPEN | WAIT | DONE | OK | times, when it was completed so often before
        --   its stored audio is waited for so long (µs); then it is completed without, and once more when it is there
        local function conversation_settle(keys, args)
          local lease, conversation, index, user, events, meta = unpack(keys)
          if redis.call('HGET', lease, 'token') ~= args[1] then return redis.status_reply('FENCED') end
          local state = redis.call('HMGET', conversation, 'state', 'times', 'mark', 'start', 'last', 'closing', 'audio',
            'language')
          local is_late = state[1] == 'completed' and state[7] == 'pending'
          if not state[1] or state[1] == 'completed' and not is_late then
            redis.call('HDEL', index, args[9] .. '/' .. args[2])
            return redis.status_reply('DONE')
          end
          if state[1] == 'open' then
            if is_silent(conversation, user, state[4]) then switch_sessions(conversation, user, args[3])
            elseif not is_over(conversation, user, args[2], tonumber(args[4])) then
              return redis.status_reply('OPEN')
            end
            begin_closing(conversation, user, args[2], args[4])
            state[6] = args[4]
          end
          if not is_through(conversation, args[3]) then return redis.status_reply('WAIT') end
          local stored = is_stored(conversation, args[3], meta, args[10], args[11])
          if not stored and (is_late or tonumber(args[4]) - tonumber(state[6] or '0') < tonumber(args[12])) then
            return redis.status_reply('WAIT')
          end
          local info = redis.pcall('XINFO', 'STREAM', events)
          local last = info.err and '0-0' or fields(info)['last-generated-id']
          if not state[3] then
            redis.call('HSET', conversation, 'mark', last)
            state[3] = last
          end
          local record = group_info(events, args[8])
          if record and is_less(record['last-delivered-id'], state[3]) then return redis.status_reply('WAIT') end
          local times = state[2] or '0'
          if times ~= args[5] then return times end
          local event = string.sub(args[6], 1, -2) .. ',"conversation_start":' .. state[4]
            .. ',"conversation_end":' .. (state[5] or args[4]) .. (stored and '' or ',"audio_pending":true')
            .. (state[8] and ',"language":"' .. state[8] .. '"' or '') .. '}'
          redis.call('XADD', events, '*', 'e', event)
          redis.call('HSET', conversation, 'state', 'completed', 'times', tonumber(times) + 1)
          redis.call('HDEL', conversation, 'mark', 'closing', 'audio')
          if stored then redis.call('HDEL', index, args[9] .. '/' .. args[2])
          else redis.call('HSET', conversation, 'audio', 'pending') end
          redis.call('EXPIRE', conversation, args[7])
          return redis.status_reply('OK')
        end

        redis.register_function{function_name='earshot_conversation_close', callback=conversation_close,
          flags={'allow-oom'}}
        redis.register_function{function_name='earshot_conversation_settle', callback=conversation_settle,
          flags={'allow-oom'}}
        """
}
