pub(crate) mod disk;
pub(crate) mod harness;
pub(crate) mod script;
pub(crate) mod victim;
pub(crate) mod world;
