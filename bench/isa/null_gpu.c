/*
 * A Vulkan driver that wraps Mesa's RADV. It lets Dawn open an absent AMD GPU and writes RADV's compiler output for
 * each compute pipeline to a file.
 *
 * RADV compiles for any chip without hardware (RADV_FORCE_FAMILY). But its substitute for the kernel driver lacks the
 * functions that record and submit commands, and Dawn begins a command buffer as soon as it has a device. Here those
 * calls succeed and do nothing; all others go to RADV. Nothing can be executed.
 *
 *   NULL_GPU_DRIVER  path of libvulkan_radeon.so
 *   NULL_GPU_OUT     file, rewritten for each pipeline: "name: value" lines of statistics, then the assembly
 *
 * It declares everything that it uses of the C library and of Vulkan
 * (https://registry.khronos.org/vulkan/specs/latest/man/html/), so a small compiler (tcc) suffices, without headers.
 */
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __SIZE_TYPE__ size;
typedef void (*Function)(void);

void *dlopen(const char *, int);
void *dlsym(void *, const char *);
char *getenv(const char *);
int strcmp(const char *, const char *);
void *memset(void *, int, size);
void *memcpy(void *, const void *, size);
void *malloc(size);
void free(void *);
void *fopen(const char *, const char *);
int fprintf(void *, const char *, ...);
int fclose(void *);

enum { NOW = 2 /* RTLD_NOW */, FAILED = -3 /* VK_ERROR_INITIALIZATION_FAILED */, MOST = 64 };
/* VkPipelineCreateFlagBits */
enum { CAPTURE_STATISTICS = 0x40, CAPTURE_REPRESENTATIONS = 0x80 };
/* VkStructureType of VK_KHR_pipeline_executable_properties */
enum { PIPELINE_INFO = 1000269001, PROPERTIES, INFO, STATISTIC, REPRESENTATION };

typedef struct {
  u32 type;
  const void *next;
  u32 flags, queues;
  const void *queue;
  u32 layers;
  const char *const *layer;
  u32 extensions;
  const char *const *extension;
  const void *features;
} DeviceCreateInfo;

typedef struct {
  u32 type;
  const void *next;
  u32 flags;
  struct {
    u32 type;
    const void *next;
    u32 flags, stage;
    u64 module;
    const char *name;
    const void *specialization;
  } stage;
  u64 layout, base;
  int base_index;
} PipelineCreateInfo;

typedef struct {
  u32 type;
  const void *next;
  u64 pipeline;
  u32 executable;
} ExecutableInfo;

typedef struct {
  u32 type;
  void *next;
  u32 stages;
  char name[256], description[256];
  u32 subgroup;
} Properties;

typedef struct {
  u32 type;
  void *next;
  char name[256], description[256];
  u32 format;
  u64 value;
} Statistic;

typedef struct {
  u32 type;
  void *next;
  char name[256], description[256];
  u32 is_text;
  size bytes;
  void *data;
} Representation;

typedef Function (*GetProc)(void *, const char *);
typedef int (*CreateDevice)(void *, const DeviceCreateInfo *, const void *, void **);
typedef int (*CreatePipelines)(void *, u64, u32, const PipelineCreateInfo *, const void *, u64 *);
typedef int (*GetList)(void *, const ExecutableInfo *, u32 *, void *);

static GetProc instance_proc, physical_proc, device_proc;
static CreateDevice create_device;
static CreatePipelines create_pipelines;

static int nothing(void) { return 0; }

static int create_device_here(void *physical, const DeviceCreateInfo *info, const void *allocator, void **device) {
  const char *names[512];
  DeviceCreateInfo wanted = *info;
  if (info->extensions >= 512) return FAILED;
  memcpy(names, info->extension, info->extensions * sizeof(char *));
  names[wanted.extensions++] = "VK_KHR_pipeline_executable_properties";
  wanted.extension = names;
  return create_device(physical, &wanted, allocator, device);
}

/* A compute pipeline has one executable. */
static void write_down(void *device, u64 pipeline) {
  static Statistic statistics[MOST];
  static Representation representations[MOST];
  Properties properties;
  ExecutableInfo info = {PIPELINE_INFO, 0, pipeline, 0}; /* begins as VkPipelineInfoKHR does */
  u32 count = 1, i;
  void *file = getenv("NULL_GPU_OUT") ? fopen(getenv("NULL_GPU_OUT"), "w") : 0;
  if (!file) return;
  memset(&properties, 0, sizeof properties);
  properties.type = PROPERTIES;
  ((GetList)device_proc(device, "vkGetPipelineExecutablePropertiesKHR"))(device, &info, &count, &properties);
  fprintf(file, "Subgroup size: %u\n", properties.subgroup);
  info.type = INFO;
  memset(statistics, 0, sizeof statistics);
  for (i = 0; i < MOST; i++) statistics[i].type = STATISTIC;
  count = MOST;
  ((GetList)device_proc(device, "vkGetPipelineExecutableStatisticsKHR"))(device, &info, &count, statistics);
  for (i = 0; i < count; i++) fprintf(file, "%s: %llu\n", statistics[i].name, statistics[i].value);
  memset(representations, 0, sizeof representations);
  for (i = 0; i < MOST; i++) representations[i].type = REPRESENTATION;
  GetList texts = (GetList)device_proc(device, "vkGetPipelineExecutableInternalRepresentationsKHR");
  count = MOST;
  texts(device, &info, &count, representations); /* how long they are */
  for (i = 0; i < count; i++) representations[i].data = malloc(representations[i].bytes + 1);
  texts(device, &info, &count, representations);
  for (i = 0; i < count; i++) {
    if (!strcmp(representations[i].name, "Assembly"))
      fprintf(file, "\n%.*s\n", (int)representations[i].bytes, (char *)representations[i].data);
    free(representations[i].data);
  }
  fclose(file);
}

static int create_pipelines_here(void *device, u64 cache, u32 count, const PipelineCreateInfo *info,
                                 const void *allocator, u64 *pipelines) {
  for (u32 i = 0; i < count; i++) {
    PipelineCreateInfo wanted = info[i];
    wanted.flags |= CAPTURE_STATISTICS | CAPTURE_REPRESENTATIONS;
    int result = create_pipelines(device, cache, 1, &wanted, allocator, pipelines + i);
    if (result) return result;
    write_down(device, pipelines[i]);
  }
  return 0;
}

static Function device_proc_here(void *device, const char *name) {
  static const char *const quiet[] = {
      "vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandBuffer", "vkResetCommandPool",
      "vkQueueSubmit",        "vkQueueSubmit2",     "vkQueueWaitIdle",      "vkDeviceWaitIdle",
  };
  for (u32 i = 0; i < sizeof quiet / sizeof *quiet; i++)
    if (!strcmp(name, quiet[i])) return (Function)nothing;
  if (strcmp(name, "vkCreateComputePipelines")) return device_proc(device, name);
  create_pipelines = (CreatePipelines)device_proc(device, name);
  return (Function)create_pipelines_here;
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  Function found = instance_proc(instance, name);
  if (found && !strcmp(name, "vkGetDeviceProcAddr")) {
    device_proc = (GetProc)found;
    return (Function)device_proc_here;
  }
  if (found && !strcmp(name, "vkCreateDevice")) {
    create_device = (CreateDevice)found;
    return (Function)create_device_here;
  }
  return found;
}

Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) { return physical_proc(instance, name); }

int vk_icdNegotiateLoaderICDInterfaceVersion(u32 *version) {
  void *driver = getenv("NULL_GPU_DRIVER") ? dlopen(getenv("NULL_GPU_DRIVER"), NOW) : 0;
  if (!driver) return FAILED;
  instance_proc = (GetProc)dlsym(driver, "vk_icdGetInstanceProcAddr");
  physical_proc = (GetProc)dlsym(driver, "vk_icdGetPhysicalDeviceProcAddr");
  return ((int (*)(u32 *))dlsym(driver, "vk_icdNegotiateLoaderICDInterfaceVersion"))(version);
}
