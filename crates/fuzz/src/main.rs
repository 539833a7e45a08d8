//! Searches for inputs of which something does not hold: libFuzzer around the one target that `DOCKET_FUZZ_TARGET`
//! names. Its seeds are written to `DOCKET_FUZZ_SEEDS` first. Started by `.ci/fuzz.sh`.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use docket_fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("DOCKET_FUZZ_TARGET").unwrap_or_default();
    docket_fuzz::target(&name)
        .unwrap_or_else(|| panic!("DOCKET_FUZZ_TARGET names no target: {name:?}"))
});

fn write_seeds() -> std::io::Result<()> {
    let Some(folder) = std::env::var_os("DOCKET_FUZZ_SEEDS").map(PathBuf::from) else {
        return Ok(());
    };
    for (number, seed) in (TARGET.seeds)().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}

libfuzzer_sys::fuzz_target!(
    init: {
        if let Err(error) = write_seeds() {
            panic!("seeds can't be written: {error}");
        }
    },
    |bytes: &[u8]| (TARGET.holds)(bytes)
);
