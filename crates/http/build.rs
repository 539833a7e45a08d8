//! A new build of the console must reach the daemon; npm itself never runs from here.

fn main() {
    println!("cargo:rerun-if-changed=../../console/dist");
}
