mod concerts;
mod lanes;
