/// What gateways do: admission, registration and resumes, ends, what was acknowledged.
///
/// Part of the library of `HandOffFunctions`, under the same rules.
extension HandOffFunctions {
    static let sessions = """
        -- admit KEYS admissions audio ARGV now window maximum nonce backlog → OK | RATE | BACKLOG
        local function admit(keys, args)
          if redis.call('EXISTS', keys[2]) == 1 and redis.call('XLEN', keys[2]) > tonumber(args[5]) then
            return redis.status_reply('BACKLOG')
          end
          local now, window = tonumber(args[1]), tonumber(args[2])
          redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', now - window)
          if redis.call('ZCARD', keys[1]) >= tonumber(args[3]) then return redis.status_reply('RATE') end
          redis.call('ZADD', keys[1], args[1], args[4])
          redis.call('PEXPIRE', keys[1], math.ceil(window / 1000))
          return redis.status_reply('OK')
        end

        -- Whether one of the user's live sessions is in a conversation.
        local function is_shared(conversation, user)
          for _, field in ipairs(redis.call('HKEYS', user)) do
            if string.sub(field, 1, 2) == 's:' and redis.call('HEXISTS', conversation, field) == 1 then return true end
          end
          return false
        end

        -- Whether the user's conversation is open: a live session shares it, or its timeout has not passed.
        local function is_open(user, state, now, prefix)
          if not state[1] then return false end
          if is_shared(prefix .. state[1], user) then return true end
          return state[3] and now - tonumber(state[3]) <= tonumber(state[4]) * 1000000
        end

        -- The conversation a session joins: the one it is bound to, that of its predecessor unless silence closed it,
        -- the user's open one, or the one that it names, which is a new one if there is none of that name.
        -- The last result: whether another one stays the user's open one.
        local function join_conversation(user, args, conversations_prefix, old)
          local state = redis.call('HMGET', user, 'conversation', 'start', 'touched', 'timeout')
          local named = redis.call('HGET', conversations_prefix .. args[7], 'start')
          local is_named = named and '1' or '0'
          if args[14] == '1' then return args[7], named or args[5], is_named, false end
          local is_users_open = is_open(user, state, tonumber(args[5]), conversations_prefix)
          if old and old.conversation and old.reason ~= 'conversation_closed' and not old.switch then
            return old.conversation, old.start, '1', is_users_open and state[1] ~= old.conversation
          end
          if is_users_open then return state[1], state[2], '1', false end
          return args[7], named or args[5], is_named, false
        end

        -- Appends a session's marker and takes it from the live ones.
        -- of: sid session audio live user ended marker reason now retention conversations (a prefix)
        local function write_end(of)
          local state = redis.call('HMGET', of.session, 'timeout', 'conversation')
          local id = redis.call('XADD', of.audio, '*', 'e', of.marker)
          redis.call('HSET', of.session, 'end', id, 'reason', of.reason, 'ended', of.now)
          redis.call('SADD', of.ended, of.sid)
          redis.call('HDEL', of.live, of.sid)
          if redis.call('HDEL', of.user, 's:' .. of.sid) == 1 then
            if redis.call('HGET', of.user, 'conversation') == state[2] then
              redis.call('HSET', of.user, 'touched', of.now)
            end
            redis.call('EXPIRE', of.user, tonumber(state[1]) + tonumber(of.retention))
          end
          if state[2] and redis.call('EXISTS', of.conversations .. state[2]) == 1 then
            redis.call('HSET', of.conversations .. state[2], 'last', of.now)
          end
          return id
        end

        -- The predecessor that a registration names, of the same user; nil for one that nobody knows any more.
        local function find_predecessor(sid, uid, prefix)
          if sid == '' then return nil end
          local state = redis.call('HMGET', prefix .. sid, 'uid', 'gateway', 'end', 'reason', 'switch', 'successor',
            'conversation', 'conversation_start', 'from', 'last')
          if state[1] ~= uid then return nil end
          local old = {sid = sid, gateway = state[2], is_ended = state[3], reason = state[4], switch = state[5],
            head = state[6], conversation = state[7], start = state[8], from = state[9], last = state[10]}
          -- A long chain is followed in several calls.
          for _ = 1, 64 do
            local after = old.head and redis.call('HGET', prefix .. old.head, 'successor')
            if not after then break end
            old.head = after
          end
          return old
        end

        -- The number of the next message that is wanted behind a predecessor. What stands in the stream and was not
        -- noted is sent again, and passed as a duplicate. Numbers stay the device's text unless one is computed.
        local function resume_point(old, first)
          local from = first
          if old.from and tonumber(old.from) > tonumber(from) then from = old.from end
          if old.last and tonumber(old.last) + 1 > tonumber(from) then
            from = string.format('%.0f', tonumber(old.last) + 1)
          end
          return from
        end

        -- Takes a predecessor over: ends it if it is live, and tells its gateway. It stays until its successor is
        -- completed (see expire_chain).
        local function take_over(old, keys, args)
          local session = args[17] .. old.sid
          if not old.is_ended then
            write_end({sid = old.sid, session = session, audio = keys[8], live = keys[3], user = keys[2],
              ended = keys[9], marker = args[19], reason = args[20], now = args[5], retention = args[22],
              conversations = args[15]})
            redis.call('PUBLISH', args[21] .. old.gateway, 'taken ' .. old.sid .. ' 0 0' .. string.char(10))
          end
          redis.call('HSET', session, 'successor', args[1])
          redis.call('PERSIST', session)
        end

        -- Lets a completed session's entry go in time. Who continues one may still ask how far it was, so it stays
        -- until that one is completed, too.
        local function expire_chain(sid, session, retention)
          local prefix = string.sub(session, 1, #session - #sid)
          local chain = redis.call('HMGET', session, 'predecessor', 'successor')
          local after = chain[2] and redis.call('HMGET', prefix .. chain[2], 'epoch', 'completed')
          if not after or not after[1] or after[2] then redis.call('EXPIRE', session, retention) end
          if chain[1] and redis.call('HEXISTS', prefix .. chain[1], 'completed') == 1 then
            redis.call('EXPIRE', prefix .. chain[1], retention)
          end
        end

        -- register KEYS session user live events meta wanted conversations audio ended
        --   ARGV sid uid gateway nonce now timeout conversation codec rate language source flags event bound
        --   conversation-prefix predecessor-or-empty session-prefix first marker reason channel-prefix retention
        --   → epoch conversation start continues flags from resumed successor-or-empty; repeating it with the same
        --   nonce changes nothing, nor does one whose predecessor has a successor
        local function register(keys, args)
          local session, user, live, events, meta, wanted, index = unpack(keys)
          local epoch = redis.call('HGET', session, 'epoch')
          if epoch then
            if string.match(epoch, ':(.+)$') ~= args[4] then
              return redis.error_reply('EXISTS the session is registered already')
            end
            local known = redis.call('HMGET', session, 'conversation', 'conversation_start', 'continues', 'flags',
              'from', 'predecessor')
            return {epoch, known[1], known[2], known[3], known[4], known[5] or '0', known[6] and '1' or '0', ''}
          end
          local old = find_predecessor(args[16], args[2], args[17])
          if old and old.head then return {'', '', '0', '0', '0', '0', '0', old.head} end
          local from = args[18]
          if old then
            from = resume_point(old, from)
            take_over(old, keys, args)
          end
          local conversation, start, continues, is_aside = join_conversation(user, args, args[15], old)
          local flags = bit.bor(tonumber(args[12]), tonumber(redis.call('HGET', wanted, args[2]) or '0'))
          local epochs = redis.call('HINCRBY', meta, 'epochs', 1)
          epoch = string.format('%d', epochs) .. ':' .. args[4]
          redis.call('HSET', user, 'timeout', args[6], 's:' .. args[1], '1')
          if not is_aside then
            redis.call('HSET', user, 'conversation', conversation, 'start', start, 'touched', args[5])
          end
          redis.call('PERSIST', user)
          redis.call('HSET', session, 'uid', args[2], 'epoch', epoch, 'gateway', args[3],
            'conversation', conversation, 'conversation_start', start, 'continues', continues, 'started', args[5],
            'timeout', args[6], 'codec', args[8], 'rate', args[9], 'language', args[10], 'source', args[11],
            'flags', flags, 'first', args[18], 'from', from)
          if old then redis.call('HSET', session, 'predecessor', old.sid) end
          -- Whose speakers it goes on with: those of the session that it continues, or that joined last.
          local before = old and old.conversation == conversation and old.sid
            or redis.call('HGET', args[15] .. conversation, 'joined')
          if before then redis.call('HSET', session, 'before', before) end
          redis.call('HSET', live, args[1], args[3])
          local was = redis.call('HGET', args[15] .. conversation, 'state')
          -- In one that was over its silence is counted anew.
          if was and was ~= 'open' then redis.call('HSET', args[15] .. conversation, 'speech', args[5]) end
          redis.call('HSET', args[15] .. conversation, 'start', start, 'state', 'open', 's:' .. args[1], '1',
            'joined', args[1])
          -- One that was closing waits for the record anew: more events of it will come (protocol.md M6).
          redis.call('HDEL', args[15] .. conversation, 'mark', 'closing')
          if args[14] == '1' then redis.call('HSET', args[15] .. conversation, 'bound', '1') end
          redis.call('PERSIST', args[15] .. conversation)
          redis.call('HSET', index, args[2] .. '/' .. conversation, args[1])
          -- The first mark is ours: the event's keys are sorted, and what a device chose comes behind it.
          local event = string.gsub(args[13], '@conversation@', conversation, 1)
          event = string.sub(event, 1, -2) .. ',"conversation_start":' .. start .. ',"continues_conversation":'
            .. (continues == '1' and 'true' or 'false') .. (old and ',"predecessor":"' .. old.sid .. '"' or '') .. '}'
          redis.call('XADD', events, '*', 'e', event)
          return {epoch, conversation, start, continues, flags, from, old and '1' or '0', ''}
        end

        -- end KEYS session audio live user ended coordinator-lease
        --   ARGV sid epoch-or-empty gateway reason marker now retention conversation-prefix lease-token-or-empty
        --   → OK id | ENDED id | FENCED | GONE
        local function end_session(keys, args)
          local session, audio, live, user, ended, lease = unpack(keys)
          if args[9] ~= '' and redis.call('HGET', lease, 'token') ~= args[9] then return {'FENCED'} end
          local state = redis.call('HMGET', session, 'epoch', 'gateway', 'end')
          if not state[1] then
            redis.call('HDEL', live, args[1])
            return {'GONE'}
          end
          if state[3] then return {'ENDED', state[3]} end
          if state[2] ~= args[3] or (args[2] ~= '' and state[1] ~= args[2]) then return {'FENCED'} end
          return {'OK', write_end({sid = args[1], session = session, audio = audio, live = live, user = user,
            ended = ended, marker = args[5], reason = args[4], now = args[6], retention = args[7],
            conversations = args[8]})}
        end

        -- note KEYS session ARGV epoch last capture → 1 | 0 when the session is another's or over
        local function note(keys, args)
          local state = redis.call('HMGET', keys[1], 'epoch', 'end', 'last')
          if state[1] ~= args[1] or state[2] then return 0 end
          if not state[3] or tonumber(args[2]) > tonumber(state[3]) then
            redis.call('HSET', keys[1], 'last', args[2], 'last_capture', args[3])
          end
          return 1
        end

        -- sample_request KEYS samples known ARGV name request kept retention → 1 | 0 when it stands there already
        local function sample_request(keys, args)
          local stream, known = unpack(keys)
          if redis.call('ZSCORE', known, args[1]) then return 0 end
          redis.call('XADD', stream, '*', 'e', args[2])
          redis.call('ZADD', known, redis.call('TIME')[1], args[1])
          redis.call('ZREMRANGEBYRANK', known, 0, -1 - tonumber(args[3]))
          redis.call('EXPIRE', known, args[4])
          return 1
        end

        redis.register_function('earshot_sample_request', sample_request)
        redis.register_function('earshot_admit', admit)
        redis.register_function('earshot_register', register)
        redis.register_function{function_name='earshot_end', callback=end_session, flags={'allow-oom'}}
        redis.register_function{function_name='earshot_note', callback=note, flags={'allow-oom'}}
        """
}
