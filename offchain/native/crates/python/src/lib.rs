//! Python binding: `offchain.native._core`. The only crate that names Python; the interpreter lock is released
//! while anything is computed.

mod ptau;

use numpy::{PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::collections::BTreeMap;
use zkdps_field::CurveGroup;
use zkdps_field::msm::msm_small;
use zkdps_field::point::{POINT, encode, encode_g2};
use zkdps_field::srs::{insecure_powers, insecure_tau_g2, read_powers};

pyo3::import_exception!(offchain.errors, NativeInputError);
pyo3::import_exception!(offchain.errors, NativeProofError);

/// Chunks have at most 2^20 cells.
const MAX_LOG_SIZE: u32 = 20;

/// Native core: prover, verifier and commitments.
#[pymodule]
mod _core {
    #[pymodule_export]
    use super::ptau::{ptau_import, srs_verify};
    #[pymodule_export]
    use super::{commit, prove, srs_insecure, tau_g2_insecure, verify};
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

/// Return the commitment of int64 coefficients (an array, or little-endian bytes).
#[pyfunction]
fn commit<'py>(
    py: Python<'py>,
    srs: &[u8],
    coefficients: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let coefficients = read_coefficients(coefficients)?;
    let point = py.detach(|| {
        let powers = read_powers(srs, coefficients.len())?;
        Ok(encode(&msm_small(&powers, &coefficients).into_affine()))
    });
    let point = point.map_err(|error: zkdps_field::srs::SrsError| refused(error.to_string()))?;
    debug_assert_eq!(point.len(), POINT);
    Ok(PyBytes::new(py, &point))
}

/// Return the proof that the tensors satisfy the key's program.
#[pyfunction]
fn prove<'py>(
    py: Python<'py>,
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8],
    tensors: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyBytes>> {
    let statement_hash = exactly(statement_hash, "statement hash").map_err(refused)?;
    let arrays = read_tensors(tensors)?;
    let slices: Vec<&[i64]> = arrays
        .iter()
        .map(|array| array.as_slice().map_err(PyErr::from))
        .collect::<PyResult<_>>()?;
    let proof = py.detach(|| zkdps_prover::prove(vk, srs, &statement_hash, &slices));
    Ok(PyBytes::new(
        py,
        &proof.map_err(|error| refused(error.to_string()))?,
    ))
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

fn read_coefficients(coefficients: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    if let Ok(bytes) = coefficients.cast::<PyBytes>() {
        let (words, rest) = bytes.as_bytes().as_chunks::<8>();
        if !rest.is_empty() {
            return Err(refused(format!(
                "{} bytes of coefficients, expected a multiple of 8",
                bytes.as_bytes().len()
            )));
        }
        return Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect());
    }
    let array: PyReadonlyArray1<i64> = coefficients
        .extract()
        .map_err(|_| PyTypeError::new_err("coefficients: expected bytes or a flat int64 array"))?;
    Ok(array.as_array().to_vec())
}

/// Returns the arrays of ids 0, 1, 2, …; refuses other keys and arrays.
fn read_tensors<'py>(tensors: &Bound<'py, PyDict>) -> PyResult<Vec<PyReadonlyArray1<'py, i64>>> {
    let mut by_id = BTreeMap::new();
    for (id, array) in tensors.iter() {
        let id: usize = id.extract()?;
        let array: PyReadonlyArray1<i64> = array
            .extract()
            .map_err(|_| refused(format!("tensor {id}: expected a flat int64 array")))?;
        if !array.is_contiguous() {
            return Err(refused(format!("tensor {id}: expected a contiguous array")));
        }
        by_id.insert(id, array);
    }
    for (expected, id) in by_id.keys().enumerate() {
        if *id != expected {
            return Err(refused(format!("tensor {expected}: is missing")));
        }
    }
    Ok(by_id.into_values().collect())
}
