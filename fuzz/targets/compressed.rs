#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| hookscope_capture::fuzz::compressed(data));
