"""Base64 of 4,000 bytes, there and back, as often as the argument says; in each round another byte is changed."""
import sys

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
PAD = 61


def digits():
    """For each byte its value as a digit."""
    values = [0] * 256
    for value, byte in enumerate(ALPHABET):
        values[byte] = value
    return values


def encode(data):
    length = len(data)
    text = bytearray((length + 2) // 3 * 4)
    to = 0
    for at in range(0, length, 3):
        second = data[at + 1] if at + 1 < length else 0
        third = data[at + 2] if at + 2 < length else 0
        group = data[at] << 16 | second << 8 | third
        text[to] = ALPHABET[group >> 18]
        text[to + 1] = ALPHABET[group >> 12 & 63]
        text[to + 2] = ALPHABET[group >> 6 & 63] if at + 1 < length else PAD
        text[to + 3] = ALPHABET[group & 63] if at + 2 < length else PAD
        to += 4
    return text


def decode(text, values):
    length = len(text)
    missing = 0 if text[length - 1] != PAD else 1 if text[length - 2] != PAD else 2
    data = bytearray(length // 4 * 3 - missing)
    size = len(data)
    to = 0
    for at in range(0, length, 4):
        group = values[text[at]] << 18 | values[text[at + 1]] << 12 | values[text[at + 2]] << 6 | values[text[at + 3]]
        data[to] = group >> 16
        if to + 1 < size:
            data[to + 1] = group >> 8 & 255
        if to + 2 < size:
            data[to + 2] = group & 255
        to += 3
    return data


def main(rounds):
    values = digits()
    data = bytearray(i * i & 255 for i in range(4000))
    total = 0
    for round in range(rounds):
        data[round % len(data)] = round & 255
        text = encode(data)
        data = decode(text, values)
        total = (total * 31 + text[round % len(text)] + data[round * 7 % len(data)]) % 65521
    print(f"base64 {len(data)} {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
