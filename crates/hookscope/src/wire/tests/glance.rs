//! A glance against the whole walk.

use super::*;

#[test]
fn a_glance_shows_what_decoding_shows() {
    for v4 in [true, false] {
        for options in [vec![], vec![TcpOptionElement::Noop]] {
            let sample = Sample { options, ..Sample::plain(v4) };
            let ethernet = [&[2; 12][..], if v4 { &[8, 0] } else { &[0x86, 0xdd] }, &sample.ip()].concat();
            for (link_type, data) in [(LinkType::ETHERNET, &ethernet[..]), (LinkType::RAW, &ethernet[14..])] {
                let packet = Packet {
                    time: Timestamp::from_nanos(1),
                    frame: Frame::new(0, 1),
                    link_type,
                    interface: 0,
                    wire_len: data.len() as u32,
                    data,
                };
                let Ok(Decoded::Tcp(segment)) = decode_layers(&packet) else { panic!("no segment") };
                assert_eq!(format!("{:?}", decode(&packet)), format!("{:?}", decode_layers(&packet)));
                let (from, to) =
                    (segment.key.endpoint(segment.from), segment.key.endpoint(segment.from.other()));
                let plain = v4 && link_type == LinkType::ETHERNET;
                assert_eq!(endpoints(&packet), plain.then_some((from, to)));
                let cut = Packet { data: data.get(..37).unwrap_or_default(), ..packet };
                assert_eq!(endpoints(&cut), None);
            }
        }
    }
}
