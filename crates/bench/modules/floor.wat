;; The least that a Proxy-Wasm module can do to tag a request: one host call to read the identity, one to write the tag.
;; What any module with this ABI costs more than this is its own.
;;
;; It decides as this rule of hash-tagging does:
;; header: x-user-id, modulo: 100, tagHeader: x-asm-prefer-tag, policies: [{range: 20, tagValue: s2}, {range: 100, tagValue: s1}]
(module
  ;; map, name, length of the name, where to put the value's address, where to put its length -> status
  (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  ;; map, name, length of the name, value, length of the value -> status
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))

  ;; Page 0: results at 0, texts from 16. Page 1: what the host hands over.
  (memory (export "memory") 2)
  (data (i32.const 16) "x-user-id")
  (data (i32.const 32) "x-asm-prefer-tag")
  (data (i32.const 48) "s2")
  (data (i32.const 52) "s1")

  (func (export "proxy_abi_version_0_2_1"))

  ;; One value is alive at a time, so the memory is always the same.
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (select (i32.const 65536) (i32.const 0) (i32.le_u (local.get $size) (i32.const 65536))))

  (func (export "proxy_on_request_headers") (param $context i32) (param $headers i32) (param $end i32) (result i32)
    (local $byte i32) (local $last i32) (local $hash i32)
    ;; A request without an identity stays as it is.
    (if (call $get (i32.const 0) (i32.const 16) (i32.const 9) (i32.const 0) (i32.const 4))
      (then (return (i32.const 0))))
    (if (i32.eqz (i32.load (i32.const 4)))
      (then (return (i32.const 0))))

    ;; FNV-1a, 32 bit
    (local.set $byte (i32.load (i32.const 0)))
    (local.set $last (i32.add (local.get $byte) (i32.load (i32.const 4))))
    (local.set $hash (i32.const 0x811c9dc5))
    (loop $next
      (local.set $hash (i32.mul
        (i32.xor (local.get $hash) (i32.load8_u (local.get $byte)))
        (i32.const 0x01000193)))
      (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $byte) (local.get $last))))

    (drop (call $replace (i32.const 0) (i32.const 32) (i32.const 16)
      (select (i32.const 48) (i32.const 52)
        (i32.lt_u (i32.rem_u (local.get $hash) (i32.const 100)) (i32.const 20)))
      (i32.const 2)))
    (i32.const 0)))
