//! Every vault is held to the same suite; what only one of them promises follows below it.

mod conformance;
mod local;
mod power_loss;
mod s3;
mod seaweed;
mod things;
mod weed;
