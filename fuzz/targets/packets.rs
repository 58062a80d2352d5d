#![no_main]
libfuzzer_sys::fuzz_target!(init: hookscope::fuzz::one_thread(), |data: &[u8]| hookscope::fuzz::packets(data));
