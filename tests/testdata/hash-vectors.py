"""Writes hash-vectors.toml: python3 tests/testdata/hash-vectors.py > tests/testdata/hash-vectors.toml

The oracle is independent of the code under test: FNV-1a in four lines of Python, MurmurHash3 from the PyPI package
mmh3 (5.x), which wraps the reference C++ code, XXH64 from xxhash (3.x), which wraps the reference C code.
"""

import random
import uuid

import mmh3
import xxhash

SALT = b"checkout-2026-11"
SEED = 13221
MODULOS = (100, 1000, 10000)

HEADER = f'''\
# Which bucket a user falls into. Written by hash-vectors.py; the expected values come from there, never from this
# project's own code.
#
# To compute a user's lane in another language:
#   1. the identity is the header's bytes as they are: no trimming, no change of letter case, no decoding
#   2. fnv1a32         FNV-1a, 32 bit: hash = 2166136261; for each byte: hash = (hash xor byte) * 16777619 mod 2^32
#      murmur3         MurmurHash3 x86 32 bit, seed 0, of the identity
#      murmur3-salted  the same of the salt "{SALT.decode()}" followed by the identity
#      xxh64           XXH64, seed 0, of the identity
#      xxh64-seeded    the same with the seed {SEED}
#   3. bucket = hash mod modulo, all unsigned
#   4. the first policy with from <= bucket < range gives the tag
#
# The 64 bits of xxh64 are text, because TOML's integers have 63.
# `hex` is the identity; `text` is the same for reading, where it is printable.
# `buckets` are those of modulo {", ".join(map(str, MODULOS))}.
'''


def fnv1a32(data):
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def identities():
    """At least 200 identities of the shapes that are met in practice, and of those that break naive code."""
    random.seed(20261121)  # the same file every time
    for name in ("jessie", "jack", "bob", "stacy", "vance", "jason"):  # the published walkthrough
        yield name
    yield ""
    yield from (str(number) for number in range(20))
    yield from (str(10**power + 7) for power in range(2, 19))
    yield from (f"user-{number:05}" for number in range(0, 100000, 4999))
    yield from (str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(30))
    yield from (f"{name}.{random.randrange(1000)}@example.com" for name in ("alice", "bob", "carol", "dave", "Erin") * 5)
    yield from ("Zoë", "José", "Łukasz", "Владимир", "山田太郎", "محمد", "🦀", "Zoe\u0308", "ﬀ", "ß", "SS", "İ")
    yield from (" ", "a b", "a\tb", "a,b", "a;b=c", '"quoted"', "%61", "a+b", "a%2Cb", "JESSIE", "Jessie", "jessie ")
    yield from (bytes([byte]) for byte in (0x01, 0x7F, 0x80, 0x81, 0xA0, 0xBF, 0xC0, 0xC3, 0xE2, 0xF0, 0xFE, 0xFF))
    yield from (b"\xff\xfe", b"al\xffice", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00", b"\x00\x00", b"a\x00b")
    yield from (random.randbytes(length) for length in range(1, 33))  # every tail length of murmur3, several times
    yield bytes(range(256))
    yield from (bytes((length * 7 + i * 31) % 256 for i in range(length)) for length in (63, 64, 65, 127, 128, 255, 256, 257))
    yield from ("x" * length for length in (1000, 1023, 1024, 1025, 4095, 4096))


def entry(name, value, quote=""):
    buckets = ", ".join(str(value % modulo) for modulo in MODULOS)
    return f"{name} = {{ hash = {quote}{value}{quote}, buckets = [{buckets}] }}"


print(HEADER)
print(f'salt = "{SALT.decode()}"')
print(f"seed = {SEED}")
print(f"modulos = {list(MODULOS)}")
for identity in dict.fromkeys(i.encode() if isinstance(i, str) else i for i in identities()):
    print("\n[[vector]]")
    if len(identity) <= 64 and identity.decode("utf-8", "replace").isprintable() and b"\xef\xbf\xbd" not in identity:
        try:
            text = identity.decode()
            print("text = '''" + text + "'''" if '"' in text else f'text = "{text}"')
        except UnicodeDecodeError:
            pass
    print(f'hex = "{identity.hex()}"')
    print(entry("fnv1a32", fnv1a32(identity)))
    print(entry("murmur3", mmh3.hash(identity, 0, signed=False)))
    print(entry("murmur3-salted", mmh3.hash(SALT + identity, 0, signed=False)))
    print(entry("xxh64", xxhash.xxh64_intdigest(identity, 0), '"'))
    print(entry("xxh64-seeded", xxhash.xxh64_intdigest(identity, SEED), '"'))
