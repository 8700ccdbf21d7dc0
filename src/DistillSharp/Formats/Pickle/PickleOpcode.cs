namespace DistillSharp.Formats.Pickle;

/// <summary>The opcodes of Python's pickle, protocols 0 to 5, under the names that Python's <c>pickletools</c> gives them.</summary>
internal enum PickleOpcode : byte
{
    // The machine itself.
    Proto = 0x80, Frame = 0x95, Stop = (byte)'.', Mark = (byte)'(', Pop = (byte)'0', PopMark = (byte)'1', Dup = (byte)'2',
    // Numbers, None, True and False.
    None = (byte)'N', NewTrue = 0x88, NewFalse = 0x89, Int = (byte)'I', BinInt = (byte)'J', BinInt1 = (byte)'K', BinInt2 = (byte)'M',
    Long = (byte)'L', Long1 = 0x8a, Long4 = 0x8b, Float = (byte)'F', BinFloat = (byte)'G',
    // Texts and bytes.
    String = (byte)'S', BinString = (byte)'T', ShortBinString = (byte)'U', Unicode = (byte)'V', BinUnicode = (byte)'X',
    ShortBinUnicode = 0x8c, BinUnicode8 = 0x8d, BinBytes = (byte)'B', ShortBinBytes = (byte)'C', BinBytes8 = 0x8e, ByteArray8 = 0x96,
    NextBuffer = 0x97, ReadOnlyBuffer = 0x98,
    // Tuples, lists, sets, dicts.
    EmptyTuple = (byte)')', Tuple = (byte)'t', Tuple1 = 0x85, Tuple2 = 0x86, Tuple3 = 0x87, EmptyList = (byte)']', List = (byte)'l',
    Append = (byte)'a', Appends = (byte)'e', EmptySet = 0x8f, AddItems = 0x90, FrozenSet = 0x91, EmptyDict = (byte)'}', Dict = (byte)'d',
    SetItem = (byte)'s', SetItems = (byte)'u',
    // The memo.
    Put = (byte)'p', BinPut = (byte)'q', LongBinPut = (byte)'r', Memoize = 0x94, Get = (byte)'g', BinGet = (byte)'h',
    LongBinGet = (byte)'j',
    // Functions, classes and objects.
    Global = (byte)'c', StackGlobal = 0x93, Reduce = (byte)'R', Build = (byte)'b', Inst = (byte)'i', Obj = (byte)'o', NewObj = 0x81,
    NewObjEx = 0x92, PersId = (byte)'P', BinPersId = (byte)'Q', Ext1 = 0x82, Ext2 = 0x83, Ext4 = 0x84,
}
