//! The one file that maps errors of other rooms to problems.
