//! Any bytes: the search ends, what it finds lies inside the file, and an index can be made of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut source = bytes;
    let found = docket_container::rescue::scan(&mut source, 0..bytes.len() as u64);
    if let Some(found) = found.expect("memory reads") {
        for picture in &found.pictures {
            assert!(picture.offset + u64::from(picture.size_bytes) <= bytes.len() as u64);
        }
        let _ = found.index((25, 1));
    }
});
