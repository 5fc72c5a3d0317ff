//! Trees over tiles.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Return the root over the tiles of a tensor's bytes.
#[pyfunction]
pub(crate) fn tile_root<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &py.detach(|| zkdps_tiles::root(data)))
}

/// Return all nodes over the tiles of a tensor's bytes, from the leaves up.
#[pyfunction]
pub(crate) fn tile_levels<'py>(py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
    let nodes = py.detach(|| zkdps_tiles::levels(data));
    PyBytes::new(py, nodes.as_flattened())
}
