//! Tensors in chunks of 2^c cells (FORMAT.md 3.3).

use std::borrow::Cow;
use zkdps_program::Program;

/// Returns all F + P chunks; cells outside tensors are 0. Chunks inside one tensor are borrowed.
pub(crate) fn lay_out<'a>(program: &Program, tensors: &[&'a [i64]]) -> Vec<Cow<'a, [i64]>> {
    let size = 1 << program.c;
    let mut chunks: Vec<Cow<'a, [i64]>> = vec![Cow::Borrowed(&[]); program.chunks()];
    for (tensor, values) in program
        .tensors
        .iter()
        .zip(tensors)
        .filter(|(tensor, _)| !tensor.is_public())
    {
        if tensor.n >= program.c {
            for (chunk, piece) in chunks[tensor.chunk..]
                .iter_mut()
                .zip(values.chunks_exact(size))
            {
                *chunk = Cow::Borrowed(piece);
            }
        } else {
            let chunk = chunks[tensor.chunk].to_mut();
            chunk.resize(size, 0);
            let start = tensor.addr << tensor.n;
            chunk[start..start + values.len()].copy_from_slice(values);
        }
    }
    for chunk in chunks.iter_mut().filter(|chunk| chunk.is_empty()) {
        chunk.to_mut().resize(size, 0);
    }
    chunks
}
