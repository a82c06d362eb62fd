//! Files that were changed at random and whose checksums were then made right: what lies behind
//! the checksums must neither panic nor differ between the two readers.
//!
//! `AEZIP_WRITE_MUTANTS=FOLDER` writes them, for `reader.py --check FOLDER`.

use super::file::Parts;
use super::records::Random;
use crate::container::forever::{DATA, FOOTER_LEN, HEADER_LEN, MORE};
use crate::container::section::{self, Footer, SECTION_HEAD, decode_head};
use crate::reader::Reader;
use std::path::Path;

/// The parts of a good file.
fn parts(bytes: &[u8]) -> Parts {
    let mut sections = Vec::new();
    let mut at = HEADER_LEN;
    let section = |at: &mut usize| {
        let (tag, length) = decode_head(bytes[*at..*at + SECTION_HEAD].try_into().unwrap());
        let start = *at + SECTION_HEAD;
        *at = start + length as usize + 4;
        (tag, bytes[start..start + length as usize].to_vec())
    };
    while sections.last().is_none_or(|s: &([u8; 4], Vec<u8>)| s.0 != DATA) {
        sections.push(section(&mut at));
    }
    let footer = &bytes[bytes.len() - FOOTER_LEN..];
    let mut index_at = u64::from_le_bytes(footer[..8].try_into().unwrap()) as usize;
    let index = section(&mut index_at).1;
    let mut blocks = Vec::new();
    for entry in index.chunks(6) {
        let length = u32::from_le_bytes(entry[..4].try_into().unwrap()) as usize;
        let rows = usize::from(u16::from_le_bytes([entry[4], entry[5]])) + 1;
        blocks.push((rows, bytes[at..at + length].to_vec()));
        at += length;
    }
    let header = bytes[..HEADER_LEN].to_vec();
    Parts { header, sections, blocks, behind: Vec::new(), index: None, rows: None, index_at: None }
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.bits() % 3 {
        let at = (random.bits() >> 8) as usize % bytes.len().max(1);
        let byte = (random.bits() >> 16) as u8;
        match random.bits() >> 20 & 7 {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => bytes[at] = 0xff,
            3 if at < bytes.len() => bytes[at] = byte,
            4 => bytes.truncate(at),
            _ if at < bytes.len() => bytes[at] ^= 1 << (byte & 7),
            _ => bytes.push(byte),
        }
    }
}

/// Changes the index of a file to which rows were appended.
fn mutant_of_index(good: &[u8], random: &mut Random) -> Vec<u8> {
    let footer = &good[good.len() - FOOTER_LEN..];
    let number = |at: usize| u64::from_le_bytes(footer[at..at + 8].try_into().unwrap());
    let (index, mut rows) = (number(0), number(8));
    let at = index as usize;
    let mut payload = good[at + SECTION_HEAD..good.len() - FOOTER_LEN - 4].to_vec();
    match random.bits() >> 18 & 7 {
        0 => rows ^= random.bits() >> 12 & 3,
        _ => change(&mut payload, random),
    }
    let mut out = good[..at].to_vec();
    out.extend(section::encode(MORE, &payload));
    let length = (out.len() + FOOTER_LEN) as u64;
    out.extend(Footer { index, rows, length }.encode());
    out
}

fn mutant(good: &[u8], random: &mut Random) -> Vec<u8> {
    let info = Reader::new(good).unwrap().info();
    if info.appends > 0 {
        return mutant_of_index(good, random);
    }
    let good = &good[..info.file_bytes as usize];
    let mut file = parts(good);
    let pick = (random.bits() >> 9) as usize;
    if pick.is_multiple_of(2) && !file.blocks.is_empty() {
        let i = pick / 2 % file.blocks.len();
        let first_row: u64 = file.blocks[..i].iter().map(|b| b.0 as u64).sum();
        let block = &mut file.blocks[i].1;
        block.truncate(block.len() - 4);
        change(block, random);
        let crc = crc32fast::hash(&[&first_row.to_le_bytes()[..], block].concat());
        block.extend(crc.to_le_bytes());
    } else {
        // Not DATA.
        let i = pick / 2 % (file.sections.len() - 1);
        change(&mut file.sections[i].1, random);
    }
    file.join()
}

#[test]
fn changes_behind_the_checksums_never_panic() {
    let vectors: Vec<_> = super::all().into_iter().filter(|v| v.kind.is_none()).collect();
    let rounds = std::env::var("AEZIP_MUTANTS").map_or(15, |n| n.parse().unwrap());
    let folder = std::env::var_os("AEZIP_WRITE_MUTANTS");
    let mut random = Random(2024);
    let mut refused = 0;
    for round in 0..rounds {
        for v in &vectors {
            let bytes = mutant(&v.bytes, &mut random);
            let decoded = super::decode(&bytes);
            refused += usize::from(decoded.is_err());
            let Some(folder) = &folder else { continue };
            let (kind, ending, beside) = match decoded {
                Ok(npy) => ("valid", "npy", npy),
                Err(e) => ("invalid", "txt", format!("{:?}", e.kind()).to_lowercase().into_bytes()),
            };
            let name = format!("{}-{round}", v.name.replace('/', "-"));
            let folder = Path::new(folder).join(kind);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{name}.aez")), bytes).unwrap();
            std::fs::write(folder.join(format!("{name}.{ending}")), beside).unwrap();
        }
    }
    assert!(refused > 0);
}
