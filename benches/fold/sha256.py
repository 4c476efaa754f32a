"""SHA-256 of 1 KiB, as often as the argument says; each digest goes into the beginning of the next message."""
import sys

ROUNDS = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]
LOW = 0xFFFFFFFF


def rotate(word, count):
    return (word >> count | word << (32 - count)) & LOW


def block(state, words, data, at):
    for i in range(16):
        words[i] = int.from_bytes(data[at + i * 4:at + i * 4 + 4], "big")
    for i in range(16, 64):
        p, q = words[i - 15], words[i - 2]
        x = rotate(p, 7) ^ rotate(p, 18) ^ p >> 3
        y = rotate(q, 17) ^ rotate(q, 19) ^ q >> 10
        words[i] = (words[i - 16] + x + words[i - 7] + y) & LOW
    a, b, c, d, e, f, g, h = state
    for i in range(64):
        x = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        first = h + x + (e & f ^ ~e & g) + ROUNDS[i] + words[i]
        y = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        second = y + (a & b ^ a & c ^ b & c)
        h = g
        g = f
        f = e
        e = (d + first) & LOW
        d = c
        c = b
        b = a
        a = (first + second) & LOW
    for i, word in enumerate((a, b, c, d, e, f, g, h)):
        state[i] = (state[i] + word) & LOW


def sha256(message):
    padded = bytearray(message)
    padded.append(0x80)
    while len(padded) % 64 != 56:
        padded.append(0)
    padded += (len(message) * 8).to_bytes(8, "big")
    state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
    words = [0] * 64
    for at in range(0, len(padded), 64):
        block(state, words, padded, at)
    return b"".join(word.to_bytes(4, "big") for word in state)


def main(rounds):
    message = bytearray(i * 7 & 255 for i in range(1024))
    for _ in range(rounds):
        message[:32] = sha256(message)
    print(f"sha256 {message[:32].hex()}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
