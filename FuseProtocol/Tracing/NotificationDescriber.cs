using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Names the arguments of a notification.</summary>
internal static class NotificationDescriber
{
    /// <summary>Adds the fields of the notification <paramref name="code"/>, as <see cref="FuseNotifier"/> builds it.</summary>
    public static void Describe(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data, FieldList fields)
    {
        switch (code)
        {
            case NotifyCode.Poll:
                fields.Add("kh", MemoryMarshal.Read<NotifyPollWakeupOut>(body).Kh);
                break;
            case NotifyCode.InvalInode:
                NotifyInvalInodeOut inode = MemoryMarshal.Read<NotifyInvalInodeOut>(body);
                fields.Add("nodeid", inode.Ino);
                fields.AddSigned("offset", inode.Off);
                fields.AddSigned("size", inode.Len);
                break;
            case NotifyCode.InvalEntry:
                NotifyInvalEntryOut entry = MemoryMarshal.Read<NotifyInvalEntryOut>(body);
                fields.Add("nodeid", entry.Parent);
                fields.AddText("name", data.TrimEnd((byte)0));
                fields.AddFlags("flags", entry.Flags);
                break;
            case NotifyCode.Delete:
                NotifyDeleteOut delete = MemoryMarshal.Read<NotifyDeleteOut>(body);
                fields.Add("nodeid", delete.Parent);
                fields.Add("child", delete.Child);
                fields.AddText("name", data.TrimEnd((byte)0));
                break;
            case NotifyCode.Store:
                NotifyStoreOut store = MemoryMarshal.Read<NotifyStoreOut>(body);
                fields.Add("nodeid", store.Nodeid);
                fields.Add("offset", store.Offset);
                fields.Add("size", store.Size);
                break;
            case NotifyCode.Retrieve:
                NotifyRetrieveOut retrieve = MemoryMarshal.Read<NotifyRetrieveOut>(body);
                fields.Add("nodeid", retrieve.Nodeid);
                fields.Add("offset", retrieve.Offset);
                fields.Add("size", retrieve.Size);
                fields.Add("number", FuseNotifier.RetrieveNumber(retrieve.NotifyUnique));
                break;
            case NotifyCode.Prune:
                fields.Add("count", MemoryMarshal.Read<NotifyPruneOut>(body).Count);
                break;
            default:
                // RESEND and INC_EPOCH say nothing.
                break;
        }
    }
}
