//! Python binding: `offchain.native._core`. The only crate that names Python; the interpreter lock is released
//! while anything is computed.

mod ptau;
mod tiles;

use numpy::{Element, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use zkdps_field::msm::{msm, msm_small};
use zkdps_field::point::{encode, encode_all, encode_g2};
use zkdps_field::srs::{SrsError, insecure_powers, insecure_tau_g2, read_powers};
use zkdps_field::{G1Affine, G1Projective};
use zkdps_prover::{Cells, Timings};

pyo3::import_exception!(offchain.errors, NativeInputError);
pyo3::import_exception!(offchain.errors, NativeProofError);

/// Chunks have at most 2^24 cells.
const MAX_LOG_SIZE: u32 = 24;

/// Native core: prover, verifier and commitments.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::ptau::{ptau_import, srs_verify};
    #[pymodule_export]
    use super::tiles::{tile_levels, tile_root};
    #[pymodule_export]
    use super::{commit, commit_chunks, prove, prove_timed, srs_insecure, tau_g2_insecure, verify};
}

/// Return 2^log_size powers of the insecure development SRS, 64 bytes each.
#[pyfunction]
fn srs_insecure(py: Python<'_>, log_size: u32) -> PyResult<Bound<'_, PyBytes>> {
    if log_size > MAX_LOG_SIZE {
        return Err(refused(format!(
            "log_size is {log_size}, at most {MAX_LOG_SIZE}"
        )));
    }
    let encoded: Vec<u8> =
        py.detach(|| insecure_powers(log_size).iter().flat_map(encode).collect());
    Ok(PyBytes::new(py, &encoded))
}

/// Return the insecure development SRS's [tau]_2 in EIP-197 order.
#[pyfunction]
fn tau_g2_insecure(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, &encode_g2(&insecure_tau_g2()))
}

/// Return the commitment of integer coefficients.
#[pyfunction]
fn commit<'py>(
    py: Python<'py>,
    srs: &[u8],
    coefficients: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let coefficients = TypedArray::read(coefficients, "coefficients")?;
    let cells = coefficients.cells()?;
    let point = py.detach(|| {
        let powers = read_powers(srs, cells.len())?;
        Ok(encode_all(&[commit_cells(&powers, cells)]))
    });
    let points = point.map_err(|error: SrsError| refused(error.to_string()))?;
    Ok(PyBytes::new(py, points.as_flattened()))
}

/// Return the commitments of consecutive chunks of 2^log_size coefficients, 64 bytes each.
#[pyfunction]
fn commit_chunks<'py>(
    py: Python<'py>,
    srs: &[u8],
    coefficients: &Bound<'py, PyAny>,
    log_size: u32,
) -> PyResult<Bound<'py, PyBytes>> {
    let coefficients = TypedArray::read(coefficients, "coefficients")?;
    let cells = coefficients.cells()?;
    if log_size > MAX_LOG_SIZE || cells.len() % (1 << log_size) != 0 {
        return Err(refused(format!(
            "{} coefficients are no whole chunks of 2^{log_size}",
            cells.len()
        )));
    }
    let size = 1_usize << log_size;
    let points = py.detach(|| {
        let powers = read_powers(srs, size)?;
        let points: Vec<_> = (0..cells.len() / size)
            .map(|k| commit_cells(&powers, cells.slice(k * size, size)))
            .collect();
        Ok(encode_all(&points))
    });
    let points = points.map_err(|error: SrsError| refused(error.to_string()))?;
    Ok(PyBytes::new(py, points.as_flattened()))
}

fn commit_cells(powers: &[G1Affine], cells: Cells) -> G1Projective {
    match cells {
        Cells::I8(cells) => msm_small(powers, cells),
        Cells::I16(cells) => msm_small(powers, cells),
        Cells::I32(cells) => msm_small(powers, cells),
        Cells::I64(cells) => msm_small(powers, cells),
        Cells::Field(cells) => msm(powers, cells),
    }
}

/// Return the proof that the tensors satisfy the key's program.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a list is extracted from Python by value"
)]
fn prove<'py>(
    py: Python<'py>,
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8],
    tensors: Vec<Option<Bound<'py, PyAny>>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let (proof, _) = prove_arrays(py, vk, srs, statement_hash, &tensors)?;
    Ok(PyBytes::new(py, &proof))
}

/// Return the proof and the seconds that its phases took.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a list is extracted from Python by value"
)]
fn prove_timed<'py>(
    py: Python<'py>,
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8],
    tensors: Vec<Option<Bound<'py, PyAny>>>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyDict>)> {
    let (proof, timings) = prove_arrays(py, vk, srs, statement_hash, &tensors)?;
    let seconds = PyDict::new(py);
    for (phase, time) in timings {
        seconds.set_item(phase, time)?;
    }
    Ok((PyBytes::new(py, &proof), seconds))
}

fn prove_arrays(
    py: Python<'_>,
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8],
    tensors: &[Option<Bound<'_, PyAny>>],
) -> PyResult<(Vec<u8>, Timings)> {
    let statement_hash = exactly(statement_hash, "statement hash").map_err(refused)?;
    let arrays = tensors
        .iter()
        .enumerate()
        .map(|(id, array)| {
            let read = |array| TypedArray::read(array, &format!("tensor {id}"));
            array.as_ref().map(read).transpose()
        })
        .collect::<PyResult<Vec<_>>>()?;
    let cells = arrays
        .iter()
        .map(|array| array.as_ref().map(TypedArray::cells).transpose())
        .collect::<PyResult<Vec<_>>>()?;
    py.detach(|| zkdps_prover::prove_timed(vk, srs, &statement_hash, &cells))
        .map_err(|error| refused(error.to_string()))
}

/// Raise `NativeProofError` unless the proof shows that the key's model maps input to output.
#[pyfunction]
#[pyo3(signature = (vk, tau_g2, statement_hash, input, output, proof))]
fn verify(
    py: Python<'_>,
    vk: &[u8],
    tau_g2: &[u8],
    statement_hash: &[u8],
    input: &[u8],
    output: &[u8],
    proof: &[u8],
) -> PyResult<()> {
    let result = (|| {
        let tau_g2 = exactly(tau_g2, "[tau]_2")?;
        let statement_hash = exactly(statement_hash, "statement hash")?;
        py.detach(|| zkdps_verifier::verify(vk, &tau_g2, &statement_hash, input, output, proof))
            .map_err(|error| error.to_string())
    })();
    result.map_err(|reason: String| NativeProofError::new_err((reason,)))
}

fn refused(reason: String) -> PyErr {
    NativeInputError::new_err((reason,))
}

fn exactly<const N: usize>(bytes: &[u8], name: &str) -> Result<[u8; N], String> {
    bytes
        .try_into()
        .map_err(|_| format!("{name} has {} bytes, expected {N}", bytes.len()))
}

/// A contiguous array of one of the integer types.
enum TypedArray<'py> {
    I8(PyReadonlyArrayDyn<'py, i8>),
    I16(PyReadonlyArrayDyn<'py, i16>),
    I32(PyReadonlyArrayDyn<'py, i32>),
    I64(PyReadonlyArrayDyn<'py, i64>),
}

impl<'py> TypedArray<'py> {
    fn read(array: &Bound<'py, PyAny>, name: &str) -> PyResult<Self> {
        let unknown = || {
            refused(format!(
                "{name}: expected an array of int8, int16, int32 or int64"
            ))
        };
        let typed = array
            .extract()
            .map(Self::I8)
            .or_else(|_| array.extract().map(Self::I16))
            .or_else(|_| array.extract().map(Self::I32))
            .or_else(|_| array.extract().map(Self::I64))
            .map_err(|_| unknown())?;
        if typed.cells().is_err() {
            return Err(refused(format!("{name}: expected a C-contiguous array")));
        }
        Ok(typed)
    }

    fn cells(&self) -> PyResult<Cells<'_>> {
        Ok(match self {
            Self::I8(array) => Cells::I8(c_order(array)?),
            Self::I16(array) => Cells::I16(c_order(array)?),
            Self::I32(array) => Cells::I32(c_order(array)?),
            Self::I64(array) => Cells::I64(c_order(array)?),
        })
    }
}

/// Returns the elements in C order; arrays of other orders are refused.
fn c_order<'a, T: Element>(array: &'a PyReadonlyArrayDyn<'_, T>) -> PyResult<&'a [T]> {
    if !array.is_c_contiguous() {
        return Err(refused("expected a C-contiguous array".to_owned()));
    }
    array.as_slice().map_err(PyErr::from)
}
