/** Compressed streams that no engine at hand can write, as xz and bzip2 of liblzma 5.4 and libbz2 1.0.8 wrote them. */

/** What every stream here holds: a few hundred bytes that compress, but not to nothing. */
export const SMALL = Buffer.from(
  Array.from({ length: 24 }, (_, i) => `line ${i * 7919} of ${(i * i * 31) % 97}\n`).join(''),
);

const from64 = (text: string): Buffer => Buffer.from(text, 'base64');

export const STREAMS = {
  xz: [
    from64(
      '/Td6WFoAAAD/EtlBAgAhAQwAAACPmEGc4AGZALldADYaSh8IoCYDTQcngUbiKHOIlMMjEuyJhNKb0DZ+f85FHQZ9EDx+3Dd4Q9R5NiwKyJ7ZyO8BcCzLn3dFZYGWjbcR6O8n7v024gw2kl4TxijZl5xyNi0SKih5nAtDuxJDtESwRB3JiH231LxysU02YjKLM+ZT8Hzskfa/WKox4qNV6Qm8UB2abU6yJs2uvQrAcaDwsEZoelXAkrH7xavlOZn2Kp+EIELNoFCKsZMRUxfY9kPN/0aNuUAAAAAAAAABzQGaAwAAnk/4g6gACvwCAAAAAABZWg==',
    ),
    from64(
      '/Td6WFoAAAFpIt42AgAhAQwAAACPmEGc4AGZALldADYaSh8IoCYDTQcngUbiKHOIlMMjEuyJhNKb0DZ+f85FHQZ9EDx+3Dd4Q9R5NiwKyJ7ZyO8BcCzLn3dFZYGWjbcR6O8n7v024gw2kl4TxijZl5xyNi0SKih5nAtDuxJDtESwRB3JiH231LxysU02YjKLM+ZT8Hzskfa/WKox4qNV6Qm8UB2abU6yJs2uvQrAcaDwsEZoelXAkrH7xavlOZn2Kp+EIELNoFCKsZMRUxfY9kPN/0aNuUAAAAAAACzIBbIAAdEBmgMAAH6N7Pc+MA2LAgAAAAABWVo=',
    ),
    from64(
      '/Td6WFoAAATm1rRGAgAhAQwAAACPmEGc4AGZALldADYaSh8IoCYDTQcngUbiKHOIlMMjEuyJhNKb0DZ+f85FHQZ9EDx+3Dd4Q9R5NiwKyJ7ZyO8BcCzLn3dFZYGWjbcR6O8n7v024gw2kl4TxijZl5xyNi0SKih5nAtDuxJDtESwRB3JiH231LxysU02YjKLM+ZT8Hzskfa/WKox4qNV6Qm8UB2abU6yJs2uvQrAcaDwsEZoelXAkrH7xavlOZn2Kp+EIELNoFCKsZMRUxfY9kPN/0aNuUAAAAAAAOWRmzngjbmqAAHVAZoDAABoz31sscRn+wIAAAAABFla',
    ),
    from64(
      '/Td6WFoAAArh+wyhAgAhAQwAAACPmEGc4AGZALldADYaSh8IoCYDTQcngUbiKHOIlMMjEuyJhNKb0DZ+f85FHQZ9EDx+3Dd4Q9R5NiwKyJ7ZyO8BcCzLn3dFZYGWjbcR6O8n7v024gw2kl4TxijZl5xyNi0SKih5nAtDuxJDtESwRB3JiH231LxysU02YjKLM+ZT8Hzskfa/WKox4qNV6Qm8UB2abU6yJs2uvQrAcaDwsEZoelXAkrH7xavlOZn2Kp+EIELNoFCKsZMRUxfY9kPN/0aNuUAAAAAAACz7imn6tK0IWEy2xNfHqWrfBx/o2897uUrxMKSeeX/EAAHtAZoDAACoSlSEtunfHAIAAAAAClla',
    ),
    from64(
      '/Td6WFoAAATm1rRGAgEEACEBDADWfBiv4AGZALldADYaSh8IoCYDTQcngUbiKHOIlMMjEuyJhNKb0DZ+f85FHQZ9EDx+3Dd4Q9R5NiwKyJ7ZyO8BcCzLn3dFZYGWjbcR6O8n7v024gw2kl4TxijZl5xyNi0SKih5nAtDuxJDtESwRB3JiH231LxysU02YjKLM+ZT8Hzskfa/WKox4qNV6Qm8UB2abU6yJs2uvQrAcaDwsEZoelXAkrH7xavlOZn2Kp+EIELNoFCKsZMRUxfY9kPN/0aNuUAAAAAAAOWRmzngjbmqAAHVAZoDAABoz31sscRn+wIAAAAABFla',
    ),
    from64(
      '/Td6WFoAAATm1rRGAgEDAQIhAQyIEa+54AGZAUtdADYaSila0CD5Yh0t5e3cJh5GoMvuKOjG+iCEIKsPSKwzliiOk3+WSpZmjuEuNzbpav/RvL1uH4eagmEBxtW+16jkyJZVAPnu1DASSH3gie6VnPLfoy4I26ZzPUcpeJw5lbisdS0Tr/rB86VywrxaIuyxSFY00NV4NnsH+hJxVJBDC73ADMKP36MBDECDikNfvrWcojXlgNf4lxp3diRrGqAd7ATUDsNoZkzh3lL5zj9oVhyh57yK3b7q+xd6x1JaoxG72yWiiVk3fnaGCIp5Vjv5j76W+Wc1puu7a5u4ktiE+PCHt8WxTrliutIX4Hx/K6CUOOgE+indc1j5DJXDUA36gIvKulz6agPjqNReESSt2GSkAvAD/zlWYCDJVU7PUbfv3IqUy9BoG87g6HTxnSd1eHoGbE/0q0xTMIGA0qFwZP9ZSOZfxlGWrS0AAOWRmzngjbmqAAHnApoDAAAeE29iscRn+wIAAAAABFla',
    ),
  ],
  bzip2: [
    from64(
      'QlpoOTFBWSZTWeXiWT0AAKlZAAAQQAB/4AMlsADaERT8hkKU0AppkYmJiCU9VPUyG1NDTm1nFY6tdGt5m1FTxfOVWIFRRVFF8AEDwDwC9XRud76G7TWLPVR+Q6m0TF4lWtSTEAdh8jBItwWu0TRRHRSea4xZNA3sTavd6Sq3pg7oqHlrtNXClZOKeQJiKegXmuk22rvwKkKLg4OFCdmuN3AxnBPwEaAjQEfARoCLgR+LuSKcKEhy8SyegA==',
    ),
  ],
  lzma: [
    from64(
      'XQAABAD//////////wA2GkofCKAmA00HJ4FG4ihziJTDIxLsiYTSm9A2fn/ORR0GfRA8ftw3eEPUeTYsCsie2cjvAXAsy593RWWBlo23EejvJ+79NuIMNpJeE8Yo2ZeccjYtEiooeZwLQ7sSQ7REsEQdyYh9t9S8crFNNmIyizPmU/B87JH2v1iqMeKjVekJvFAdmm1OsibNrr0KwHGg8LBGaHpVwJKx+8Wr5TmZ9iqfhCBCzaBQirGTEVMX2PZDzf9GzOjt3//f5G0g',
    ),
  ],
} as const;
