//! What each byte adds to the rolling hash: 256 numbers that look random and can be made again by anyone.

/// The text whose BLAKE3 extended output, read as little-endian numbers, is the table.
#[cfg(test)]
const SEED: &[u8] = b"wharf chunk gear table 1";

/// The table. A constant rather than made at start: its address is then known to the compiler, and it cannot drift.
#[rustfmt::skip]
pub(super) static GEAR: [u64; 256] = [
    0xe580_5446_3032_525a, 0xa4d3_d554_79e4_e912, 0xad38_f066_be1e_99b5, 0x75b6_9a15_0831_04f8,
    0x7f98_c8d7_52d9_7872, 0xd138_5a7c_fb16_64dd, 0x05e3_8940_2be5_ba1f, 0xcd67_0e59_d125_941e,
    0x4154_892f_9f79_4ede, 0x7ce6_b18b_b183_cce0, 0xad5d_1a52_187c_2de8, 0x94d7_e467_0e40_b26a,
    0xa885_2871_fcb3_af4c, 0x6f8d_2d6f_b9ef_4371, 0x5632_1a96_43f4_e755, 0x70ce_6ba7_0631_6689,
    0x3118_73ec_2dfb_4dd6, 0xe9a0_5e9b_2c7a_0c04, 0x080f_7873_c18f_e270, 0x3acc_fa67_8ec2_e962,
    0x362c_65e0_bc37_cfce, 0x194f_50d2_cbb4_21b8, 0xa99d_950b_0d7d_d9e1, 0x5802_9b2a_4e93_28d0,
    0x0708_6c4c_ed79_a378, 0xbba3_a143_89e4_5dfd, 0x43b6_3b02_0f01_dce1, 0x56cd_454f_2a4a_e36c,
    0xdfe5_2e64_00f3_f0ed, 0x0b95_795f_cc90_575b, 0xe736_6f48_5614_bfd6, 0x4944_8903_efb7_6864,
    0xca85_b98d_572c_75aa, 0xb00a_8358_caff_6396, 0x4dc3_eb68_51eb_95d0, 0x32b4_00d8_7bf7_d04b,
    0x87d4_9ffb_41af_25da, 0x6915_48ec_4432_d088, 0x0e87_9b26_5693_348f, 0x5653_8a3f_bb5d_95e8,
    0xaad8_8a0c_c7a2_3534, 0x52de_8961_2a4a_1c12, 0xd188_e182_a0b0_826d, 0xde8f_ea86_513b_5fd0,
    0x8d4c_9bc8_e044_7479, 0x7835_10f6_69de_3b03, 0x0074_a682_a561_9bc3, 0xccbf_555c_4d69_30ce,
    0x7d8c_c17c_bbbc_366e, 0xb2df_f9d7_9092_3740, 0xc7f5_6313_c458_5fcf, 0x2396_630c_9766_f11a,
    0x97ae_0e31_5e44_f3b0, 0x2138_576c_6b01_b57d, 0x6943_174d_f1b4_14e1, 0x7a87_ab10_e0b2_8f16,
    0xb19b_ba50_74b8_a5e0, 0xb118_0ca8_d4a8_9c5e, 0x2b0b_a0e0_be0b_53d6, 0x43fc_50dc_3a5e_2393,
    0x5077_dacd_7283_80c0, 0xe029_9d60_c443_20c6, 0xdcf6_eb35_7aea_1863, 0x6fd9_da04_1b60_f3b9,
    0xb729_1bdb_5caa_0d3e, 0x50e2_9dd4_1e4a_7691, 0xe28f_d24d_901c_8704, 0x9afa_c83b_c8fe_4ff3,
    0x8451_29db_7cc3_e2c8, 0xd1e9_f7d7_6ac0_c659, 0xea54_c6d5_29a6_0fe2, 0xd859_7964_3aaa_0099,
    0x6a59_ad0d_3d3b_b88a, 0xfaea_35e1_3e5d_5c38, 0x786c_e32a_c57e_7ace, 0xdf7b_f166_bbca_550b,
    0x407a_2f2b_aa03_94c5, 0x20f5_9c40_bda9_a03e, 0x678d_579a_9a8f_7dc3, 0x0b5f_eb3d_e9f5_a982,
    0x841c_16d6_998d_5ceb, 0xff0f_e0b1_f881_bd60, 0xd1d7_d1bb_8381_71d5, 0xb2f3_7073_52b7_197d,
    0x6fce_9cd4_39d7_aedf, 0xcef9_7fa0_8306_9443, 0x4252_7347_3172_f5c0, 0xb876_1c4e_7419_f46d,
    0xc882_db5b_4958_728c, 0x72e2_9c77_b88d_94c3, 0x0355_2c6e_95b3_9428, 0x4fdb_e2e1_2682_fcc6,
    0x9b95_d578_340c_42b1, 0xffb4_6ac1_6896_bdd4, 0x61e3_bb22_731f_b588, 0x7e68_7481_db07_ef6e,
    0x0a8e_1c51_8040_b484, 0x9c49_9037_c9e5_b3d3, 0xf67a_4206_9f89_6ee4, 0xeac8_68c2_c57f_febf,
    0x1148_0016_e11b_aab7, 0x54f6_97aa_917f_87d0, 0xc6ca_014d_25cd_8b63, 0x13f1_157f_7fcd_221d,
    0x4bc7_5c49_8eaa_5354, 0x06d7_949c_cfcb_2c2b, 0x631d_c03d_0dd0_c922, 0x7d18_2b38_5dcb_619b,
    0x2c68_5e19_0377_ef3f, 0x92c2_4b39_8397_f084, 0xe925_015e_9b4c_fff5, 0x2576_90dd_5e3c_f851,
    0xcecf_b29c_2bd1_3518, 0xae14_b976_33a1_50f2, 0xcd7b_96a3_6d20_0fa0, 0x3e5a_f384_5bfe_3568,
    0x1a26_5515_023b_d9af, 0x0cd5_ace6_7afc_e5f3, 0xac5a_07f8_53f5_91c3, 0xcfe7_3d23_6ee3_3d65,
    0x64f0_0094_a8c7_8147, 0xa31a_217f_3450_d6e9, 0x09d7_705f_4019_9f20, 0xe3de_fed3_5cfa_471f,
    0x0f10_d3df_72f0_4377, 0x060d_bbbf_8198_9248, 0xa82b_e877_3a7e_4349, 0x5e98_f55f_8fbb_c029,
    0x3217_96fc_1f8e_eab4, 0xe376_2990_525b_ce36, 0x2047_52bf_58ea_deeb, 0xe111_76bf_9910_0281,
    0x166b_ede5_fa63_4a15, 0xb6ca_33d0_6e60_9f7d, 0x39ac_ea33_fad7_7e2a, 0x5afb_2b6c_8fc7_e04a,
    0x9e1a_0b17_92e6_e2a6, 0x8595_7439_5aee_67bb, 0xcf7d_6cd3_5379_6c93, 0xf521_44c2_0fc8_b2ed,
    0x8207_d640_2b6b_c0b7, 0x9b04_accf_2826_56ae, 0x2e31_629b_d74e_0aff, 0x34d8_0003_e8a6_ea1f,
    0x2857_8c1b_718b_ee40, 0xea3a_d2e2_5df4_c8d1, 0xb246_b86d_c38f_2ec4, 0xc655_4b47_5b88_0139,
    0xc907_ef39_6ebd_26c6, 0x0931_009a_c7a9_9d4f, 0x6a20_8fd0_6664_501f, 0x3035_3d79_bb94_e13f,
    0xf1cd_ff9b_f1ff_387b, 0x4993_a200_ebce_6ef3, 0xec55_a73f_afe2_2272, 0x6eb5_f7e4_4bca_a5b0,
    0x2d28_5955_62b8_4ce1, 0x93a9_2772_7000_ade7, 0x9e20_7c0e_d057_0715, 0x87b5_f161_d1c3_a70d,
    0xe9ae_16f3_7683_f435, 0xa651_edfb_5bf6_16ef, 0x7377_abc6_c4b1_1be7, 0xe93d_8eb4_f6b2_fa7b,
    0x0f7b_85be_d2e0_5d1d, 0xe58f_2675_b2f2_8f05, 0x122a_097c_84ff_82bf, 0x96db_d0df_a676_0473,
    0x4b35_af9d_3064_0f4a, 0x250d_25c8_48d4_a2b1, 0x65d6_8bc7_71e4_fe91, 0xc127_f31c_2219_2204,
    0x5885_0777_6cd9_24d8, 0xf535_035f_52dc_47bb, 0x459a_283a_abfd_e12f, 0x4e32_870a_abdd_8c62,
    0x43a6_19da_c359_5f30, 0x7562_03c7_cab8_1041, 0x50cf_51ba_b0a8_7598, 0x294b_4279_3ffe_0445,
    0x2cba_e62d_a205_ce21, 0x0a46_dd51_94f7_5de8, 0x5cce_beae_07fa_e116, 0x3d9c_0e51_92ee_dff5,
    0x2b60_6144_43c5_017d, 0x1fe1_3784_c936_2672, 0x012e_2d70_16e5_f960, 0x5f3f_bfcc_0c04_c052,
    0x9c90_a9e9_ddf0_521a, 0xfe68_fc24_c5be_c2e4, 0x2e3b_6e27_fe8f_7e21, 0x3208_5e88_9a1c_d544,
    0x1bc4_62fa_96c1_55d0, 0x889c_3830_4a5a_b8c2, 0xc2bb_f471_fb76_7592, 0x4e15_01c6_5bdc_c359,
    0xccaf_e33f_b8c7_89ac, 0xc1db_2e2f_e578_a0b9, 0xa1bb_1763_ec1d_0858, 0xf11f_87ff_2296_80c0,
    0xafc8_2e7f_62da_0f97, 0x5f98_e242_2292_e910, 0xb980_8912_0676_8f56, 0x88aa_683c_9a20_a705,
    0x0493_80d3_4e75_c1fe, 0x9d47_8606_84f8_b6cc, 0x7b3c_d05d_ca08_c0dc, 0xcab5_9e76_ef65_69ee,
    0x0f54_45e1_6d00_7c06, 0xf317_8767_6193_f827, 0x7dad_b8f6_927d_72d8, 0x4937_3f17_99b3_d5ec,
    0x2350_98a7_8072_ef05, 0x4895_08d1_5180_f4fa, 0x44fa_42d4_644f_8110, 0x2347_5f4e_6b45_ce77,
    0xd2e3_907f_4d64_a257, 0x0210_5a03_baec_5cc7, 0x6ce7_a8d1_0195_e52d, 0x9e4d_a14f_97ec_4347,
    0x4e38_06cf_4d3b_8435, 0x49d8_805f_f41f_8ec9, 0xaf2a_9391_3a22_d89d, 0xdf51_7725_30f0_cd7e,
    0xe251_d818_ebe5_6deb, 0x9a81_a80e_36fc_ceec, 0xaa0e_602b_ac88_3ac3, 0x202b_9060_d961_a090,
    0x2eee_e25d_ab71_ad37, 0x8b27_cd64_02f0_f760, 0x2ecf_b133_16a6_3697, 0xdaa0_b206_81c1_0ca8,
    0xc41e_6688_2e13_dbbf, 0x381f_49b7_16e1_a231, 0xf523_6eb5_6632_2808, 0x1b1f_b2c5_7d13_548c,
    0x0127_ce82_7b3c_1479, 0x0484_fafc_4e13_3757, 0x92d6_0615_45a8_fca4, 0xf0eb_9b1d_6d60_f161,
    0xdf27_0379_e4f8_7133, 0xbe4b_4627_6aae_d638, 0x169a_90e4_b1b4_22c0, 0xccd1_60a7_21c0_1ef7,
    0x480e_f1f1_b28c_853c, 0x21df_7cfa_9ec1_af06, 0xddf2_c99d_a96e_f2ec, 0xaad5_828d_3e6b_3c21,
    0x76f4_d47f_2656_30d4, 0xba2c_b255_04d5_3e3f, 0x7f72_8fd3_afac_b594, 0xad91_dc05_e8e2_ab46,
    0x4aa8_fa76_80b0_5e83, 0x1c2a_e124_3661_70ff, 0x79e4_e331_b27e_3e68, 0x07e2_f672_6937_6246,
];

#[cfg(test)]
mod tests {
    use super::{GEAR, SEED};

    #[test]
    fn the_table_is_the_extended_hash_of_its_seed() {
        let mut expected = [0; 2048];
        blake3::Hasher::new()
            .update(SEED)
            .finalize_xof()
            .fill(&mut expected);
        let expected: Vec<u64> = expected
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        assert_eq!(GEAR.as_slice(), expected);
    }
}
