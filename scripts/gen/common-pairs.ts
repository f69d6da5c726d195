// Pairs of characters in what agents log (JSON, code, prose), commonest first: used to choose the rarest place of a
// keyword. Counted once over transcripts, samples, code and readmes; only the order matters.
const TEXT = [
  '  ":onn es\\nreteerinen: ",\\"nt,", cost:"see tiator tmeioantht de ""ts  aroalpeleedtondssare"ng sold ',
  'heta fecliitnsriextromsine cctidasetgeveis ichoot"urra{"llypxttyr ea rs"d"fiam =\\\\ot= tspa"cpoun ema',
  'imilprceca {ttutodulsoel o},mpncacfoou dusagrthona n--ad00"}sprslatu pn\\:{n"hat_iept w,\\g "slokeef m',
  'emy ) nos. bdodiic- saue"i== [f  (20crscap lsumm"aow 1iplunuaio oclsiv \\02s:plhil_op"r -_ieee.e_mi u',
  'ckpubeeve\\_crnig> l dat-:\\a gieps/shrrje `"m);/se:mo"p.ciftpr-h "2n_fa. htof"]"  |//ui }lt{\\ 2e,t.l"',
  '_td_niixvips)\\winnd\\ok"h[""ulybl-4 < humvabarut(}}"es\\quReubm "de]cl11t\\-anpppewrg01os| 26-0.trc Sfu',
  'Co-1.s:0rkirbu>\\rd``e-] `  Tjs_r=> An-ry}]10:/pi[{ \'-cbogr.emsab],.\\ogfe[two]"ay_mt:12r""[</Useq.0xp',
  '="s,()ld} ov v"g/pdu>< Cccebdscu6-rmobd)g"t,"nh"aufre(cir.; gs_sugoj..tcd:-te/Tobjiar_ P:1"fwel} :5-',
  'wanfn.1.0.{ lUkimb"\\0-/dnk2.25See)ib ETyo\\ 0gnh.p"**-8">-224-sy"##2-wh_aw tTp-rv23]}ups) RIdn, %m/p ',
  ' 380"b-bav_p.ml--e0:l,/t}\\d,c" 4rl"/[]Th gnl* dd/a1518e[-peyTen=28(s\\ byl..1])_01- M I4-0\\=\\d..ihucp',
  'ff](sl /Sthrs-brwn/c56)).ruc39Z"t)46_e *eg"oPr1aa-:fks J"; L_l05):LiskIDk  ?oa# g.izr:Ofc (htlfl0,")',
  '? d-9"8516b/-g""nCgh47 B-mmca".j FSEMa/ })17%{D"eI 522mlua:[CaSc./61),"v{}21)."Pphdyguoi,{-dr(f-/hwd',
  'g- D/ga.x n(u_13Pagq19qc0 (e79 Naf34 ys(c-r\\:3cwzeERuu &(.b.07 kInk_4d(c30As.l-ft/.3"1"k148-:264r,-w',
  '.aBr(ta\\s_US70/*".n:Evys45.#yo95_u.d*/gt58nI Obi98sg.ph_27Six)63 !p\\50tm #41Ge __n+ l\\72ae-9.oyltU(a',
  'ny8:-6|>-lkt/UR/g,nG7-y.31aw1 u 5440jom.e}${:5_w& Ex!=Enud091:g/(rnr 6/jm\\04wsNo62ynknsyi UuftChglm"',
  'mu0"tSsStBe`e=53\'\\\',d(f(60y:"My,w_->/eDe4.T2eo3844-re;"l/l.grT U5132TrFi8cs=tdg\\3-d0??:t1,eOhn69f=e7',
  "42yt G5d]\\0f H(p48'sn/Nabsakg:wt5\"78(ooeohdg/b.nfpv _d08.f&&a829c755{:DE2 4943('rp3 @bt=c\\dlpc(lb-Mo",
  '5257r/gaONx\\srl)33vo-i06a><a<%%><s/fsTeSh(Ba<b`txi_b"Ti.ei W35b>d;/mg_Ob +`.:npm"j03g(k,db-5eT37An/>',
].join("");

/** Pair → how often it is to be expected in 1,024 pairs. */
export const PAIR_FREQUENCY: ReadonlyMap<string, number> = new Map(
  Array.from({ length: TEXT.length / 2 }, (_, i) => [TEXT.slice(i * 2, i * 2 + 2), 200 / (i + 25)]),
);
