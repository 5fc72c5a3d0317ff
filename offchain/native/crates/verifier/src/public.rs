//! Public tensors: bytes, ranges, multilinear extensions (FORMAT.md 8).

use crate::VerifyError;
use zkdps_field::{Fr, One};
use zkdps_poly::{dot_small, eq_table};
use zkdps_program::{INPUT, OUTPUT, Program, PublicTensor};

/// The padded public tensors.
pub(crate) struct PublicValues {
    input: Vec<i64>,
    output: Vec<i64>,
}

impl PublicValues {
    /// Decodes both tensors; the input's elements must lie in their range.
    pub(crate) fn read(
        program: &Program,
        input: &[u8],
        output: &[u8],
    ) -> Result<Self, VerifyError> {
        let [of_input, of_output] = &program.public;
        let elements = decode(of_input, input)?;
        check_range(of_input, &elements)?;
        Ok(Self {
            input: pad(of_input, &elements),
            output: pad(of_output, &decode(of_output, output)?),
        })
    }

    /// Returns the value of a public tensor's extension at a point.
    pub(crate) fn evaluate(&self, id: usize, point: &[Fr]) -> Fr {
        debug_assert!(id == INPUT || id == OUTPUT);
        let values = if id == INPUT {
            &self.input
        } else {
            &self.output
        };
        dot_small(&eq_table(point, Fr::one()), values)
    }
}

fn decode(public: &PublicTensor, raw: &[u8]) -> Result<Vec<i64>, VerifyError> {
    let expected = public.byte_length().unwrap_or(usize::MAX);
    if raw.len() != expected {
        return Err(VerifyError::PublicLength {
            expected,
            got: raw.len(),
        });
    }
    let signed = |element: &[u8]| match *element {
        [byte] => i64::from(byte.cast_signed()),
        [high, low] => i64::from(i16::from_be_bytes([high, low])),
        _ => 0,
    };
    Ok(raw
        .chunks_exact(public.bytes_per_element)
        .map(signed)
        .collect())
}

fn check_range(public: &PublicTensor, elements: &[i64]) -> Result<(), VerifyError> {
    let (lo, hi) = (public.lo, public.hi);
    let allowed = i64::from(lo)..=i64::from(hi);
    match elements
        .iter()
        .enumerate()
        .find(|(_, v)| !allowed.contains(v))
    {
        None => Ok(()),
        Some((index, got)) => Err(VerifyError::PublicRange {
            index,
            got: *got,
            lo,
            hi,
        }),
    }
}

fn pad(public: &PublicTensor, elements: &[i64]) -> Vec<i64> {
    let (rows_log, cols_log) = public.axes();
    let mut padded = vec![0; 1 << (rows_log + cols_log)];
    for (row, values) in padded
        .chunks_exact_mut(1 << cols_log)
        .zip(elements.chunks_exact(public.cols))
    {
        row[..public.cols].copy_from_slice(values);
    }
    padded
}
