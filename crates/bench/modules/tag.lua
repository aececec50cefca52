-- What a user would write in place of hash-tagging: the same rule for Envoy's Lua filter, on LuaJIT.
local bxor, lshift, tobit = bit.bxor, bit.lshift, bit.tobit

-- FNV-1a, 32 bit. The prime is 2^24 + 0x193: in one product the double's 53 bits would overflow.
local function fnv1a32(text)
  local hash = 0x811c9dc5
  for i = 1, #text do
    hash = bxor(hash, text:byte(i))
    hash = tobit(lshift(hash, 24) + hash * 0x193)
  end
  return hash % 0x100000000
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local user = headers:get("x-user-id")
  if user and user ~= "" then
    headers:replace("x-asm-prefer-tag", fnv1a32(user) % 100 < 20 and "s2" or "s1")
  end
end
