//! Every target over its seeds and some thousands of changed ones.

use docket_fuzz::every_target;

macro_rules! tests {
    ($($room:ident $name:ident $cases:literal;)*) => {
        $(#[test]
        fn $name() {
            docket_fuzz::quick(stringify!($name));
        })*
    };
}
every_target!(tests);

#[test]
fn no_two_targets_have_one_name() {
    let mut names: Vec<&str> = docket_fuzz::TARGETS
        .iter()
        .map(|target| target.name)
        .collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
