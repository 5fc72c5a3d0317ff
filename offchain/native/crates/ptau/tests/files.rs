//! Files made with the ceremony's own tools, whole and damaged.

use std::path::{Path, PathBuf};
use zkdps_ptau::error::{PtauError, Reason, Section};
use zkdps_ptau::{Ceremony, Request, import};

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../tests/vectors/ptau")
        .join(name)
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("zkdps-ptau-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn import(&self, file: &Path, log_size: u32) -> Result<Ceremony, PtauError> {
        let request = Request {
            file,
            out: &self.0.join("out.srs"),
            log_size,
            expected: None,
            entropy: [7; 32],
        };
        import(&request, &mut |_, _, _| true)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn genuine_files_pass() {
    let scratch = Scratch::new("genuine");
    for (name, power, ceremony_power, prepared) in [
        ("raw-4.ptau", 4, 4, false),
        ("prepared-4.ptau", 4, 4, true),
        ("cut-3-of-5.ptau", 3, 5, true),
    ] {
        let found = scratch.import(&vector(name), 3).unwrap();
        assert_eq!((found.power, found.ceremony_power), (power, ceremony_power));
        assert_eq!(found.prepared, prepared);
        assert_eq!(found.contributions.len(), 3);
        assert!(found.contributions[2].beacon.is_some());
    }
}

#[test]
fn a_stopped_import_leaves_nothing() {
    let scratch = Scratch::new("stopped");
    let out = scratch.0.join("out.srs");
    let request = Request {
        file: &vector("raw-4.ptau"),
        out: &out,
        log_size: 4,
        expected: None,
        entropy: [7; 32],
    };
    let error = import(&request, &mut |section, _, _| section != Section::TauG2).unwrap_err();
    assert_eq!(
        (error.section, error.reason),
        (Section::TauG2, Reason::Stopped)
    );
    assert_eq!(std::fs::read_dir(&scratch.0).unwrap().count(), 0);
}
