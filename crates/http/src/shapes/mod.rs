//! What goes over the wire: the API's JSON, one type a shape. Times are RFC 3339 in UTC, sizes are bytes.

mod case;
mod custody;
mod from_rows;
mod marks;
mod names;
mod recording;
mod register;
mod station;

pub use case::*;
pub use custody::*;
pub use from_rows::Showing;
pub use marks::*;
pub use names::Names;
pub use recording::*;
pub use register::*;
pub use station::*;
