//! Just enough arithmetic on long natural numbers.

use std::cmp::Ordering;

/// A natural number, least significant word first, without leading zero words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Big(Vec<u32>);

impl Big {
    /// `value · 2^shift`.
    pub fn shifted(value: u128, shift: usize) -> Self {
        let mut words = vec![0; shift / 32];
        let mut carry = 0_u64;
        for i in 0..4 {
            let wide = (u64::from((value >> (32 * i)) as u32) << (shift % 32)) | carry;
            words.push(wide as u32);
            carry = wide >> 32;
        }
        words.push(carry as u32);
        Self(words).trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn word(&self, i: usize) -> u64 {
        self.0.get(i).copied().map_or(0, u64::from)
    }

    pub fn plus(&self, other: &Self) -> Self {
        let mut carry = 0;
        let mut words: Vec<u32> = Vec::new();
        for i in 0..self.0.len().max(other.0.len()) {
            let sum = self.word(i) + other.word(i) + carry;
            words.push(sum as u32);
            carry = sum >> 32;
        }
        words.push(carry as u32);
        Self(words).trimmed()
    }

    /// `self − other`, where `other` is not larger.
    pub fn minus(&self, other: &Self) -> Self {
        let mut borrow = 0;
        let mut words: Vec<u32> = Vec::new();
        for i in 0..self.0.len() {
            let sum = (1_u64 << 32) + self.word(i) - other.word(i) - borrow;
            words.push(sum as u32);
            borrow = 1 - (sum >> 32);
        }
        assert_eq!(borrow, 0, "the result would be negative");
        Self(words).trimmed()
    }

    pub fn times(&self, factor: u32) -> Self {
        let mut carry = 0;
        let mut words: Vec<u32> = Vec::new();
        for &w in &self.0 {
            let product = u64::from(w) * u64::from(factor) + carry;
            words.push(product as u32);
            carry = product >> 32;
        }
        words.push(carry as u32);
        Self(words).trimmed()
    }

    /// `self · factor · 10^power`.
    pub fn scaled(&self, factor: u128, power: u32) -> Self {
        let mut out = Self::default();
        for i in (0..4).rev() {
            out = Self([vec![0], out.0].concat()).trimmed();
            out = out.plus(&self.times((factor >> (32 * i)) as u32));
        }
        (0..power).fold(out, |out, _| out.times(10))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
