//! The only room that knows FFmpeg, and what the restricted worker `docket-media` is made of.
//!
//! One process examines one recording: what it is ([`probe`]), where every frame lies ([`scan`],
//! [`segments`]), what its decoders need ([`init`]) and what it looks like ([`poster`], [`look`]),
//! where it was made ([`positions`]); where the bytes
//! can't be sent as they are, it makes segments ([`plan`], [`make`]). It reads through
//! a descriptor it was handed or by asking docketd for blocks ([`recording`]), can open nothing
//! itself ([`sandbox`]), and may be killed at any moment without loss.
//!
//! The binary links Debian's FFmpeg (GPL build); nothing else of Docket does.

pub mod codecs;
pub mod edit;
pub mod epochs;
pub mod fault;
pub mod indexing;
pub mod init;
pub mod keys;
pub mod layout;
pub mod look;
pub mod make;
pub mod opening;
pub mod order;
pub mod plan;
pub mod positions;
pub mod poster;
pub mod probe;
pub mod recording;
pub mod rescue;
pub mod sandbox;
pub mod scan;
pub mod segments;
pub mod self_test;
pub mod serve;
pub mod smooth;
pub mod system_calls;
