//! Base64 of 4,000 bytes, there and back, as often as the argument says; in each round another byte is changed.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const PAD: u8 = b'=';

/// For each byte its value as a digit.
fn digits() -> [u32; 256] {
    let mut values = [0; 256];
    for (value, &byte) in ALPHABET.iter().enumerate() {
        values[usize::from(byte)] = value as u32;
    }
    values
}

fn encode(data: &[u8]) -> Vec<u8> {
    let length = data.len();
    let mut text = vec![0; length.div_ceil(3) * 4];
    let digit = |group: u32, shift: u32| ALPHABET[(group >> shift & 63) as usize];
    let mut to = 0;
    for at in (0..length).step_by(3) {
        let second = if at + 1 < length { data[at + 1] } else { 0 };
        let third = if at + 2 < length { data[at + 2] } else { 0 };
        let group = u32::from(data[at]) << 16 | u32::from(second) << 8 | u32::from(third);
        text[to] = digit(group, 18);
        text[to + 1] = digit(group, 12);
        text[to + 2] = if at + 1 < length { digit(group, 6) } else { PAD };
        text[to + 3] = if at + 2 < length { digit(group, 0) } else { PAD };
        to += 4;
    }
    text
}

fn decode(text: &[u8], values: &[u32; 256]) -> Vec<u8> {
    let length = text.len();
    let missing = match (text[length - 2], text[length - 1]) {
        (PAD, PAD) => 2,
        (_, PAD) => 1,
        _ => 0,
    };
    let size = length / 4 * 3 - missing;
    let mut data = vec![0; size];
    let value = |at: usize| values[usize::from(text[at])];
    let mut to = 0;
    for at in (0..length).step_by(4) {
        let group = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
        data[to] = (group >> 16) as u8;
        if to + 1 < size {
            data[to + 1] = (group >> 8) as u8;
        }
        if to + 2 < size {
            data[to + 2] = group as u8;
        }
        to += 3;
    }
    data
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let values = digits();
    let mut data: Vec<u8> = (0..4000u32).map(|i| (i * i) as u8).collect();
    let mut sum = 0;
    for round in 0..rounds {
        let size = data.len();
        data[round % size] = round as u8;
        let text = encode(&data);
        data = decode(&text, &values);
        sum = (sum * 31 + usize::from(text[round % text.len()]) + usize::from(data[round * 7 % size])) % 65521;
    }
    println!("base64 {} {sum}", data.len());
}
