//! Public tensors: bytes, ranges, multilinear extensions (FORMAT.md 8).

use crate::VerifyError;
use std::collections::BTreeMap;
use zkdps_arguments::slots::PublicTensors;
use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{bits, dot_small, eq, eq_table};
use zkdps_program::{Form, Program, PublicTensor};

/// The elements of the public tensors that are given as bytes.
pub(crate) struct PublicValues<'a> {
    tensors: BTreeMap<usize, (&'a PublicTensor, Vec<i64>)>,
    /// The output's first element, 0 if it is committed.
    pub(crate) first: i64,
}

impl<'a> PublicValues<'a> {
    /// Decodes all tensors; `input` is the concatenation of the inputs' bytes. Elements must lie in their ranges.
    pub(crate) fn read(
        program: &'a Program,
        input: &[u8],
        output: &[u8],
    ) -> Result<Self, VerifyError> {
        let lengths = |specs: &[PublicTensor]| {
            specs
                .iter()
                .try_fold(0_usize, |sum, spec| sum.checked_add(spec.byte_length()?))
                .unwrap_or(usize::MAX)
        };
        check_length(lengths(&program.inputs), input.len())?;
        check_length(lengths(std::slice::from_ref(&program.output)), output.len())?;
        let mut tensors = BTreeMap::new();
        let mut rest = input;
        for spec in &program.inputs {
            let (piece, behind) = rest.split_at(spec.byte_length().unwrap_or(0));
            rest = behind;
            if spec.form == Form::Bytes {
                tensors.insert(spec.tensor, (spec, decode(spec, piece)?));
            }
        }
        let mut first = 0;
        if program.output.form == Form::Bytes {
            let elements = decode(&program.output, output)?;
            first = elements.first().copied().unwrap_or(0);
            tensors.insert(program.output.tensor, (&program.output, elements));
        }
        Ok(Self { tensors, first })
    }
}

impl PublicTensors for PublicValues<'_> {
    fn evaluate(&self, tensor: usize, point: &[Fr]) -> Fr {
        let Some((spec, elements)) = self.tensors.get(&tensor) else {
            return Fr::zero();
        };
        // Axis by axis, the last one first, over the elements alone: pads are 0.
        let mut axes = spec.shape.iter().zip(spec.axes()).rev();
        let mut point = point;
        let mut table = |log: usize| {
            let (rest, own) = point.split_at(point.len() - log);
            point = rest;
            eq_table(own, Fr::one())
        };
        let mut values: Vec<Fr> = match axes.next() {
            None => elements.iter().map(|v| Fr::from(*v)).collect(),
            Some((size, log)) => {
                let weights = table(log);
                elements
                    .chunks(*size as usize)
                    .map(|row| dot_small(&weights[..row.len()], row))
                    .collect()
            }
        };
        for (size, log) in axes {
            let weights = table(log);
            values = values
                .chunks(*size as usize)
                .map(|row| row.iter().zip(&weights).map(|(v, w)| *v * w).sum())
                .collect();
        }
        values.first().copied().unwrap_or_default()
    }

    fn one_hot(&self, tensor: usize, point: &[Fr]) -> Fr {
        let Some((spec, elements)) = self.tensors.get(&tensor) else {
            return Fr::zero();
        };
        let (rows, symbols) = point.split_at(spec.axes().iter().sum());
        elements
            .iter()
            .enumerate()
            .map(|(t, symbol)| {
                eq(rows, &bits(t as u64, rows.len()))
                    * eq(symbols, &bits(symbol.cast_unsigned(), symbols.len()))
            })
            .sum()
    }
}

fn check_length(expected: usize, got: usize) -> Result<(), VerifyError> {
    if expected == got {
        return Ok(());
    }
    Err(VerifyError::PublicLength { expected, got })
}

fn decode(spec: &PublicTensor, raw: &[u8]) -> Result<Vec<i64>, VerifyError> {
    let signed = |element: &[u8]| match *element {
        [byte] => i64::from(byte.cast_signed()),
        [high, low] => i64::from(i16::from_be_bytes([high, low])),
        [a, b, c, d] => i64::from(i32::from_be_bytes([a, b, c, d])),
        _ => 0,
    };
    let elements: Vec<i64> = raw
        .chunks_exact(spec.bytes_per_element)
        .map(signed)
        .collect();
    let (lo, hi) = (spec.lo, spec.hi);
    let allowed = i64::from(lo)..=i64::from(hi);
    match elements
        .iter()
        .enumerate()
        .find(|(_, v)| !allowed.contains(v))
    {
        None => Ok(elements),
        Some((index, got)) => Err(VerifyError::PublicRange {
            index,
            got: *got,
            lo,
            hi,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::PublicValues;
    use std::collections::BTreeMap;
    use zkdps_arguments::slots::PublicTensors;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_program::{Form, PublicTensor};

    #[test]
    fn extensions_agree_with_padded_tensors() {
        let spec = PublicTensor {
            tensor: 0,
            form: Form::Bytes,
            bytes_per_element: 1,
            shape: vec![3, 1, 2, 5],
            lo: 0,
            hi: 7,
        };
        let elements: Vec<i64> = (0..30).map(|i| i * i % 8).collect();
        let tensors = BTreeMap::from([(0, (&spec, elements.clone()))]);
        let values = PublicValues { tensors, first: 0 };
        let point: Vec<Fr> = (3..9_u64).map(|i| Fr::from(i).pow([91])).collect();
        let table = eq_table(&point, Fr::from(1));
        let padded = |i: usize| (i / 10) * 16 + (i / 5 % 2) * 8 + i % 5;
        let expected: Fr = elements
            .iter()
            .enumerate()
            .map(|(i, v)| table[padded(i)] * Fr::from(*v))
            .sum();
        assert_eq!(values.evaluate(0, &point), expected);
        let symbols: Vec<Fr> = (3..6_u64).map(|i| Fr::from(i).pow([81])).collect();
        let at = eq_table(&symbols, Fr::from(1));
        let expected: Fr = elements
            .iter()
            .enumerate()
            .map(|(t, v)| table[t] * at[usize::try_from(*v).unwrap()])
            .sum();
        assert_eq!(values.one_hot(0, &[point, symbols].concat()), expected);
    }
}
