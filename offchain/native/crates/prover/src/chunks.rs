//! Tensors in chunks of 2^c cells (FORMAT.md 3.5).

use zkdps_arguments::binding::Cells;
use zkdps_arguments::with_cells;
use zkdps_field::msm::{msm, msm_small};
use zkdps_field::{Fr, G1Affine, G1Projective};
use zkdps_program::{Program, Tensor, TensorKind};

/// A chunk's cells: borrowed from a tensor that fills it, or put together from small tensors in the narrowest
/// integers that hold them all.
#[derive(Clone, Debug)]
pub(crate) enum Chunk<'a> {
    Borrowed(Cells<'a>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    Field(Vec<Fr>),
}

impl Chunk<'_> {
    pub(crate) fn cells(&self) -> Cells<'_> {
        match self {
            Self::Borrowed(cells) => *cells,
            Self::I8(cells) => Cells::I8(cells),
            Self::I16(cells) => Cells::I16(cells),
            Self::I32(cells) => Cells::I32(cells),
            Self::I64(cells) => Cells::I64(cells),
            Self::Field(cells) => Cells::Field(cells),
        }
    }

    pub(crate) fn commit(&self, srs: &[G1Affine]) -> G1Projective {
        with_cells!(self.cells(), cells => msm_small(srs, cells), cells => msm(srs, cells))
    }
}

/// Returns the chunks of the tensors of one kind, the first one having number `first`; other cells are 0.
pub(crate) fn lay_out<'a>(
    program: &Program,
    tensors: &[Cells<'a>],
    kind: TensorKind,
    first: usize,
    count: usize,
) -> Vec<Chunk<'a>> {
    let mut pieces: Vec<Vec<(usize, Cells<'a>)>> = vec![Vec::new(); count];
    let mut chunks: Vec<Option<Chunk<'a>>> = vec![None; count];
    let size = 1 << program.c;
    let is_kind = |(tensor, _): &(&Tensor, _)| tensor.kind == kind;
    for (tensor, cells) in program.tensors.iter().zip(tensors).filter(is_kind) {
        if tensor.n >= program.c {
            let spanned = &mut chunks[tensor.chunk - first..];
            for (k, chunk) in spanned.iter_mut().take(cells.len() / size).enumerate() {
                *chunk = Some(Chunk::Borrowed(cells.slice(k * size, size)));
            }
        } else {
            pieces[tensor.chunk - first].push((tensor.addr << tensor.n, *cells));
        }
    }
    chunks
        .into_iter()
        .zip(pieces)
        .map(|(chunk, pieces)| chunk.unwrap_or_else(|| assemble(size, &pieces)))
        .collect()
}

/// Puts pieces together in the widest of their types.
fn assemble<'a>(size: usize, pieces: &[(usize, Cells)]) -> Chunk<'a> {
    let width = |cells: &Cells| match cells {
        Cells::I8(_) => 1,
        Cells::I16(_) => 2,
        Cells::I32(_) => 4,
        Cells::I64(_) => 8,
        Cells::Field(_) => 32,
    };
    macro_rules! fill {
        ($variant:ident, $type:ty) => {{
            let mut chunk = vec![<$type>::default(); size];
            for (start, cells) in pieces {
                // Narrower pieces widen without loss; wider ones do not occur.
                with_cells!(
                    cells,
                    cells => chunk[*start..]
                        .iter_mut()
                        .zip(*cells)
                        .for_each(|(out, v)| *out = <$type>::try_from(*v).unwrap_or_default()),
                    _cells => {}
                );
            }
            Chunk::$variant(chunk)
        }};
    }
    match pieces.iter().map(|(_, cells)| width(cells)).max() {
        None | Some(1) => fill!(I8, i8),
        Some(2) => fill!(I16, i16),
        Some(4) => fill!(I32, i32),
        Some(8) => fill!(I64, i64),
        Some(_) => {
            let mut chunk = vec![Fr::default(); size];
            for (start, cells) in pieces {
                chunk[*start..*start + cells.len()].copy_from_slice(&cells.embed());
            }
            Chunk::Field(chunk)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::assemble;
    use zkdps_arguments::binding::Cells;
    use zkdps_field::Fr;

    #[test]
    fn pieces_keep_their_values_in_the_widest_type() {
        let pieces = [
            (4, Cells::I8(&[-1, 2])),
            (0, Cells::I32(&[1 << 20, -5])),
            (2, Cells::I16(&[-300])),
        ];
        let expected = [1 << 20, -5, -300, 0, -1, 2, 0, 0].map(Fr::from);
        let chunk = assemble(8, &pieces);
        assert!(matches!(chunk.cells(), Cells::I32(_)));
        assert_eq!(chunk.cells().embed(), expected);
        assert!(matches!(assemble(8, &pieces[..1]).cells(), Cells::I8(_)));
        let field = [(0, Cells::Field(&expected)), (6, Cells::I8(&[7, 8]))];
        assert_eq!(
            assemble(8, &field).cells().embed()[4..],
            [-1, 2, 7, 8].map(Fr::from)
        );
    }
}
