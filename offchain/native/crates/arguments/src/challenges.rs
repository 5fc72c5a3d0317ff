//! Points, public functions and expressions of a program (FORMAT.md 3.2, 3.4).

use zkdps_field::scalar::power_of_two;
use zkdps_field::{Field, Fr, One, Zero};
use zkdps_poly::{bits, eq, identity, less_than};
use zkdps_program::{Atom, Coefficient, Factor, FactorKind, Function, Program, Segment, Source};

/// The vectors that points are made of, as far as they are drawn, and the output's first element.
#[derive(Clone, Debug, Default)]
pub struct Challenges {
    vectors: [Vec<Fr>; 4],
    output: i64,
}

impl Challenges {
    /// Starts without vectors; `output` is the first element of the public output, 0 if it is committed.
    #[must_use]
    pub fn new(output: i64) -> Self {
        Self {
            output,
            ..Self::default()
        }
    }

    /// Fixes a vector: ζ, `r_P`, `r_C` or `r_L`.
    pub fn set(&mut self, source: Source, vector: Vec<Fr>) {
        self.vectors[source as usize] = vector;
    }

    /// Returns a vector.
    #[must_use]
    pub fn vector(&self, source: Source) -> &[Fr] {
        &self.vectors[source as usize]
    }

    /// Returns the output's first element.
    #[must_use]
    pub fn output(&self) -> i64 {
        self.output
    }

    /// Returns a segment's coordinates.
    #[must_use]
    pub fn segment(&self, segment: &Segment) -> Vec<Fr> {
        match segment.source {
            Source::Half => {
                vec![Fr::from(2_u64).inverse().unwrap_or_default(); segment.length]
            }
            Source::Bits => bits(segment.end as u64, segment.length),
            Source::OutputBits => {
                let shifted = self.output.checked_shr(segment.end as u32).unwrap_or(0);
                bits(shifted.cast_unsigned(), segment.length)
            }
            source => {
                let vector = cut(self.vector(source), segment.end, segment.length);
                if segment.flip {
                    vector.iter().map(|x| Fr::one() - x).collect()
                } else {
                    vector.to_vec()
                }
            }
        }
    }

    /// Returns the concatenation of segments' coordinates.
    #[must_use]
    pub fn point(&self, segments: &[Segment]) -> Vec<Fr> {
        segments.iter().flat_map(|s| self.segment(s)).collect()
    }

    /// Returns a public function's value at a source's vector.
    #[must_use]
    pub fn function(&self, function: &Function, source: Source) -> Fr {
        function
            .factors
            .iter()
            .map(|factor| self.factor(factor, self.vector(source)))
            .product()
    }

    fn factor(&self, factor: &Factor, vector: &[Fr]) -> Fr {
        let point = cut(vector, factor.end, factor.length);
        let value = u64::from(factor.value);
        match factor.kind {
            FactorKind::Id => identity(point),
            FactorKind::Lt => less_than(value, point),
            FactorKind::Causal => causal(value, point, cut(vector, factor.end2, factor.length2)),
            FactorKind::LtOutput => {
                let size = 1_i64 << point.len();
                less_than(self.output.clamp(0, size).unsigned_abs(), point)
            }
            FactorKind::At => eq(&bits(value, point.len()), point),
        }
    }

    /// Returns an expression's value from the slots' values and the functions at ζ.
    #[must_use]
    pub fn expression(&self, program: &Program, expression: &[Atom], slots: &[Fr]) -> Fr {
        expression
            .iter()
            .map(|atom| {
                let slot = atom.slot.map_or(Fr::one(), |slot| slots[slot]);
                let function = atom.function.map_or(Fr::one(), |function| {
                    self.function(&program.functions[function], Source::Zeta)
                });
                coefficient(atom.coefficient) * slot * function
            })
            .sum()
    }
}

/// Returns v\[N − end − length .. N − end\].
#[must_use]
pub fn cut(vector: &[Fr], end: usize, length: usize) -> &[Fr] {
    let stop = vector.len() - end;
    &vector[stop - length..stop]
}

/// Returns the last `count` coordinates of a point.
#[must_use]
pub fn suffix(point: &[Fr], count: usize) -> &[Fr] {
    cut(point, 0, count)
}

/// Returns the integer a · 2^b in the field.
#[must_use]
pub fn coefficient(coefficient: Coefficient) -> Fr {
    let a = Fr::from(coefficient.a);
    if coefficient.b == 0 {
        return a;
    }
    a * power_of_two(coefficient.b.into())
}

/// Returns the multilinear extension of \[j <= i < count\] at (j, i).
///
/// An automaton reads one bit of j, i and count at a time; its state is (j < i, i < count) so far.
fn causal(count: u64, j: &[Fr], i: &[Fr]) -> Fr {
    let mut weights = [[Fr::zero(); 2]; 2];
    let is_all = count == 1 << i.len();
    weights[0][usize::from(is_all)] = Fr::one();
    for (limit, (x, y)) in bits(count, i.len()).iter().zip(j.iter().zip(i)) {
        let limit = usize::from(limit.is_one());
        let mut after = [[Fr::zero(); 2]; 2];
        for (bit_j, bit_i) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let at = |bit: usize, x: &Fr| if bit == 1 { *x } else { Fr::one() - x };
            let step = at(bit_j, x) * at(bit_i, y);
            for (less, below) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                if (less == 0 && bit_j > bit_i) || (below == 0 && bit_i > limit) {
                    continue;
                }
                let next_less = usize::from(less == 1 || bit_j < bit_i);
                let next_below = usize::from(below == 1 || bit_i < limit);
                after[next_less][next_below] += weights[less][below] * step;
            }
        }
        weights = after;
    }
    weights[0][1] + weights[1][1]
}

#[cfg(test)]
mod tests {
    use super::causal;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;

    #[test]
    fn causal_masks_agree_with_their_tables() {
        let point: Vec<Fr> = (0..6).map(|k| Fr::from(k + 3_u64).pow([77])).collect();
        let (j, i) = point.split_at(3);
        let weights = eq_table(&point, Fr::from(1));
        for count in 0..=8 {
            let expected: Fr = (0..64)
                .filter(|x| x / 8 <= x % 8 && x % 8 < count)
                .map(|x| weights[x])
                .sum();
            assert_eq!(causal(count as u64, j, i), expected);
        }
    }
}
