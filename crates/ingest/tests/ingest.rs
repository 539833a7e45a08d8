//! The workflow from the first byte to the receipt, over a real catalog and a real vault: what is
//! told, what survives, and what goes wrong on purpose.

mod suite;
