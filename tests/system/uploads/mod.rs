//! tus as it is spoken over real sockets.

mod checks;
mod endings;
mod parts;
mod plain;
mod room;
