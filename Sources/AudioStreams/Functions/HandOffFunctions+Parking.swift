/// Parking: what a lane that waits for long leaves in a stream of its own, so that it holds up no trimming
/// (protocol.md C6).
///
/// The index of a partition and group holds `bytes entries first last` a session and the sums of all, for the quota.
extension HandOffFunctions {
    static let parking = """
        local function parked_lane(index, sid)
          local value = redis.call('HGET', index, sid)
          if not value then return {bytes = 0, entries = 0} end
          local bytes, entries, first, last = string.match(value, '^(%d+) (%d+) (%S+) (%S+)$')
          return {bytes = tonumber(bytes), entries = tonumber(entries), first = first, last = last}
        end

        -- Stores a session's values, or removes it when nothing is left, and keeps the sums.
        local function store_parked(index, sid, old, new)
          if new.entries > 0 then
            redis.call('HSET', index, sid, string.format('%d %d %s %s', new.bytes, new.entries, new.first, new.last))
          else
            redis.call('HDEL', index, sid)
          end
          redis.call('HINCRBY', index, 'bytes', new.bytes - old.bytes)
          if redis.call('HINCRBY', index, 'entries', new.entries - old.entries) <= 0 then redis.call('DEL', index) end
        end

        -- park KEYS lease stream parked index ARGV token sid quota id…
        --   ids ascend; those parked before are left as they are
        --   → OK bytes entries first last, of the session | FULL | FENCED
        local function park(keys, args)
          local lease, stream, parked, index = unpack(keys)
          if redis.call('HGET', lease, 'token') ~= args[1] then return {'FENCED'} end
          local old = parked_lane(index, args[2])
          local new = {bytes = old.bytes, entries = old.entries, first = old.first, last = old.last}
          local fresh = {}
          for i = 4, #args do
            local entry = redis.call('XRANGE', stream, args[i], args[i])[1]
            if entry and (not new.last or is_less(new.last, entry[1])) then
              fresh[#fresh + 1] = entry
              new.bytes, new.entries = new.bytes + #entry[2][2], new.entries + 1
              new.first, new.last = new.first or entry[1], entry[1]
            end
          end
          if #fresh > 0 then
            local total = tonumber(redis.call('HGET', index, 'bytes') or '0')
            if total + new.bytes - old.bytes > tonumber(args[3]) then return {'FULL'} end
            for _, entry in ipairs(fresh) do redis.call('XADD', parked, entry[1], 'e', entry[2][2]) end
            store_parked(index, args[2], old, new)
          end
          return {'OK', new.bytes, new.entries, new.first or '0-0', new.last or '0-0'}
        end

        -- Removes what a session has parked before an id, or all of it when the id is empty.
        local function unpark(parked, index, sid, keep)
          local old = parked_lane(index, sid)
          local new = {bytes = 0, entries = 0}
          if keep ~= '' and old.entries > 0 then
            local gone = redis.call('XRANGE', parked, '-', '(' .. keep)
            new.bytes, new.entries, new.last = old.bytes, old.entries - #gone, old.last
            for _, entry in ipairs(gone) do new.bytes = new.bytes - #entry[2][2] end
          end
          if new.entries > 0 then
            redis.call('XTRIM', parked, 'MINID', keep)
            new.first = redis.call('XRANGE', parked, '-', '+', 'COUNT', 1)[1][1]
          else
            redis.call('DEL', parked)
          end
          if old.entries > 0 then store_parked(index, sid, old, new) end
        end

        -- The sessions that have something parked, each with its values.
        local function parked_lanes(index)
          local result, all = {}, redis.call('HGETALL', index)
          for i = 1, #all, 2 do
            if all[i] ~= 'bytes' and all[i] ~= 'entries' then
              result[#result + 1] = all[i]
              result[#result + 1] = all[i + 1]
            end
          end
          return result
        end

        redis.register_function{function_name='earshot_park', callback=park, flags={'allow-oom'}}
        """
}
