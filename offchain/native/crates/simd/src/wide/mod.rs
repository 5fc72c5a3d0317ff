//! The kernels for x86-64 with AVX-512.

mod cells;
mod integers;
mod lanes;
mod memory;
mod points;
mod vectors;

pub use integers::Digits;
pub use points::Adder;

/// Proof that the processor has AVX-512 with IFMA, VBMI2 and VNNI.
#[derive(Clone, Copy, Debug)]
pub struct Ifma(());

impl Ifma {
    /// Returns the proof where it holds.
    #[must_use]
    pub fn detect() -> Option<Self> {
        let present = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("avx512vnni");
        present.then_some(Self(()))
    }
}
