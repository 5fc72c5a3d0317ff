//! Import of a ceremony's powers, and the check of powers that lie in a file already.

use crate::{exactly, refused};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::path::PathBuf;
use zkdps_field::point::{decode_g2, encode_g2};
use zkdps_field::srs::read_powers;
use zkdps_ptau::contributions::Contribution;
use zkdps_ptau::error::Section;
use zkdps_ptau::{Ceremony, Request};

pyo3::import_exception!(offchain.errors, PtauError);

/// Verify a whole .ptau file and write its first 2^log_size powers to `out`; return what was found.
#[pyfunction]
#[pyo3(signature = (file, out, log_size, entropy, expected, observe))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "a path is extracted from Python by value"
)]
pub fn ptau_import<'py>(
    py: Python<'py>,
    file: PathBuf,
    out: PathBuf,
    log_size: u32,
    entropy: &[u8],
    expected: Option<&[u8]>,
    observe: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let expected = expected.map(|hash| exactly(hash, "expected hash"));
    let request = Request {
        file: &file,
        out: &out,
        log_size,
        expected: expected.transpose().map_err(refused)?,
        entropy: exactly(entropy, "entropy").map_err(refused)?,
    };
    let observe = observe.clone().unbind();
    let mut interrupted = None;
    let result = py.detach(|| {
        zkdps_ptau::import(&request, &mut |section: Section, done, total| {
            let told = Python::attach(|py| {
                observe.call1(py, (section.name(), done, total))?;
                py.check_signals()
            });
            told.map_err(|error| interrupted = Some(error)).is_ok()
        })
    });
    if let Some(error) = interrupted {
        return Err(error);
    }
    describe(py, &result.map_err(|error| to_python(&error))?)
}

/// Raise `PtauError` unless the points are powers of the tau of `tau_g2`, starting with the generator.
#[pyfunction]
pub fn srs_verify(py: Python<'_>, powers: &[u8], tau_g2: &[u8], entropy: &[u8]) -> PyResult<()> {
    let tau_g2 = exactly(tau_g2, "[tau]_2").map_err(refused)?;
    let entropy = exactly(entropy, "entropy").map_err(refused)?;
    let count = powers.len() / zkdps_field::point::POINT;
    py.detach(|| {
        let tau_g2 = decode_g2(&tau_g2).map_err(|error| refused(format!("[tau]_2: {error}")))?;
        let points = read_powers(powers, count).map_err(|error| refused(error.to_string()))?;
        zkdps_ptau::verify_powers(&points, &tau_g2, &entropy).map_err(|error| to_python(&error))
    })
}

fn to_python(error: &zkdps_ptau::error::PtauError) -> PyErr {
    PtauError::new_err((error.section.name(), error.reason.to_string()))
}

fn describe<'py>(py: Python<'py>, found: &Ceremony) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("blake2b", PyBytes::new(py, &found.hash))?;
    facts.set_item("power", found.power)?;
    facts.set_item("ceremony_power", found.ceremony_power)?;
    facts.set_item("prepared", found.prepared)?;
    facts.set_item("tau_g2", PyBytes::new(py, &encode_g2(&found.tau_g2)))?;
    let contributions = PyList::empty(py);
    for contribution in &found.contributions {
        contributions.append(describe_contribution(py, contribution)?)?;
    }
    facts.set_item("contributions", contributions)?;
    Ok(facts)
}

fn describe_contribution<'py>(
    py: Python<'py>,
    contribution: &Contribution,
) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("name", &contribution.name)?;
    facts.set_item("beacon", contribution.beacon.is_some())?;
    facts.set_item("response", PyBytes::new(py, &contribution.response_hash()))?;
    Ok(facts)
}
