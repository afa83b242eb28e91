//! What `likeness demo` adds to the commands that it runs: photos, scenes to be judged on, a page.

pub mod page;
pub mod photos;
pub mod scenes;
